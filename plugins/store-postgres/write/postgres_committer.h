// Committer: brings the batches of a call through the lanes, and gives each a fate of its own.
//
// Calls do not wait for each other here: each takes a session, and rows that two of them name are
// locked in one order. What shares a commit is gathered above, by core's group commit. [any thread]
#pragma once

#include <memory>
#include <span>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/store.h"
#include "schema/postgres_catalog.h"
#include "session/postgres_options.h"
#include "session/postgres_pool.h"

namespace a4c::postgres {

class Committer {
 public:
  virtual ~Committer() = default;
  // A result per batch. store_time_ms is 0 if no batch reached the store. While no standby confirms
  // commits all are refused at once: see StandbyWatch.
  virtual ApplyAnswer Apply(const Call& call, const Catalog& catalog,
                            std::span<const WriteBatch> batches) = 0;
};

// pool and options outlive it.
std::unique_ptr<Committer> NewCommitter(SessionPool& pool, const Options& options,
                                        const Runtime& runtime);

}  // namespace a4c::postgres
