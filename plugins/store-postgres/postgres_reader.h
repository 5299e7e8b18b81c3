// Reader: Get and Scan, each one round trip.
#pragma once

#include <memory>
#include <span>

#include "a4c/replicas.h"
#include "a4c/store.h"
#include "postgres_catalog.h"
#include "postgres_pool.h"
#include "postgres_replicas.h"

namespace a4c::postgres {

class Reader {
 public:
  virtual ~Reader() = default;
  virtual Result<GetAnswer> Get(const Call& call, const Catalog& catalog,
                                std::span<const RecordRef> refs) = 0;
  virtual Result<ReplicaScan> Scan(const Call& call, const Catalog& catalog,
                                   const ScanRequest& request) = 0;
  virtual Result<int64_t> TimeMs(const Call& call) = 0;
};

// All outlive the reader. background: sessions that see all scopes; replicas may be null.
std::unique_ptr<Reader> NewReader(SessionPool& primary, SessionPool& background,
                                  ReplicaReader* replicas);

}  // namespace a4c::postgres
