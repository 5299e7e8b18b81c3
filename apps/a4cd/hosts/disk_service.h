// The disk service: what placement chooses from. Figures of servers come from the host provider and
// are refreshed every period; what is committed on them is read from the store at every question.
//
//   A4C_TRY(std::vector<Server> servers, disks.Servers(call));
//   Placement placement = Place(servers, request, limits, random.Next());
//
// Of each server there is a record (kind host), made when the server is first seen, whose quiet
// counters hold the sum of all reservations.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "apps/a4cd/placement/placement.h"

namespace a4cd {

// The counters of a host record.
inline constexpr std::string_view kDiskCommitted = "disk_committed_bytes";
inline constexpr std::string_view kMemoryCommitted = "memory_committed_bytes";
inline constexpr std::string_view kCpuCommitted = "cpu_committed_millis";

a4c::RecordRef HostRef(const std::string& id);

struct DiskOptions {
  int64_t period_ms = 10'000;       // of refreshes
  int64_t host_timeout_ms = 5'000;  // for the answer of one server
};

// [any thread]
class DiskService {
 public:
  // All outlive the service.
  DiskService(a4c::Database& database, a4c::HostProvider& hosts, const a4c::Runtime& runtime,
              const DiskOptions& options = {});

  // Asks the provider for every server, and makes the records of new ones.
  a4c::Result<void> Refresh(const a4c::Call& call);

  // All servers with what is committed on them now. Refreshes first if nobody did for two periods.
  a4c::Result<std::vector<Server>> Servers(const a4c::Call& call);

  // Refreshes every period. The loop is used up before the service goes.
  std::unique_ptr<a4c::Loop> NewLoop();

 private:
  struct Figures {
    a4c::Host host;
    int64_t other_bytes = 0;  // used by what is not ours
  };

  a4c::Result<Figures> Ask(const a4c::Call& call, const a4c::Host& host);
  a4c::Result<void> MakeRecords(const a4c::Call& call, std::span<const a4c::Host> hosts);

  a4c::Database& database_;
  a4c::HostProvider& hosts_;
  const a4c::Runtime runtime_;
  const DiskOptions options_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::map<std::string, Figures> figures_;  // under waiter_, as is the next
  int64_t refreshed_ms_ = INT64_MIN;        // on the monotonic clock
};

}  // namespace a4cd
