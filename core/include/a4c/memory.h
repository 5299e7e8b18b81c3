// In-memory back ends of all four interfaces: for tests, the simulation and a first look.
//
// They pass the same conformance suites as the real ones and keep nothing: a restart is empty. The
// same code is wrapped as the plugins store-memory, bus-memory, search-memory and host-memory. They
// take time only from the Runtime and block only in its Waiter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "a4c/bus.h"
#include "a4c/clock.h"
#include "a4c/host_provider.h"
#include "a4c/search_index.h"
#include "a4c/store.h"

namespace a4c {

A4C_API std::unique_ptr<Store> NewMemoryStore(const Runtime& runtime);

struct MemoryBusOptions {
  int64_t queue_messages_max = 100'000;  // per topic; past it Publish answers kFull
  int partitions = 4;
};
A4C_API std::unique_ptr<Bus> NewMemoryBus(const Runtime& runtime,
                                          const MemoryBusOptions& options = {});

A4C_API std::unique_ptr<SearchIndex> NewMemorySearchIndex(const Runtime& runtime);

struct MemoryHostOptions {
  struct Server {
    std::string id;
    int64_t disk_total_bytes = 100LL << 30;
    int64_t memory_total_bytes = 16LL << 30;
    int64_t cpu_total_millis = 8000;
    std::string arch = "amd64";
    std::vector<std::string> warnings = {};  // what the server has to say
  };
  std::vector<Server> servers = {{"local-1"}, {"local-2"}, {"local-3"}};
};
A4C_API std::unique_ptr<HostProvider> NewMemoryHostProvider(const Runtime& runtime,
                                                            const MemoryHostOptions& options = {});

}  // namespace a4c
