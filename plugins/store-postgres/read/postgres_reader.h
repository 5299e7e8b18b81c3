// Reader: Get, Scan and Firsts, each one round trip.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "a4c/replicas.h"
#include "a4c/store.h"
#include "schema/postgres_catalog.h"
#include "session/postgres_pool.h"
#include "session/postgres_replicas.h"

namespace a4c::postgres {

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<GetAnswer> Get(const Call& call, const Catalog& catalog,
                                std::span<const RecordRef> refs) = 0;
  virtual Result<ReplicaScan> Scan(const Call& call, const Catalog& catalog,
                                   const ScanRequest& request) = 0;
  // Of each group its first living record in the order of this index, whose leading field is a
  // keyword: a group is a scope ("" if the index is unscoped) and a value of that field.
  virtual Result<std::vector<std::optional<Record>>> Firsts(const Call& call,
                                                            const Catalog& catalog,
                                                            const std::string& kind,
                                                            const ScanIndex& index,
                                                            std::span<const Key> groups) = 0;
  virtual Result<int64_t> TimeMs(const Call& call) = 0;
};

// All outlive the reader. background: sessions that see all scopes; replicas may be null.
std::unique_ptr<Reader> NewReader(SessionPool& primary, SessionPool& background,
                                  ReplicaReader* replicas);

}  // namespace a4c::postgres
