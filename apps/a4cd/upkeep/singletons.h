// Singletons: loops that one instance at a time steps for all (retention, digests, host polling).
//
//   Singletons singletons(database, store, runtime, instance, options);
//   runner.Start("poller", singletons.Wrap(database.NewPurgeLoop("job")));
//
// Each is a record of kind `loop` with the time at which it is due, claimed under a lease as jobs
// are: whoever comes first when it is due steps it and writes when it is due next. A step has to
// end within 2/3 of the lease, so that one whose instance died is taken over after the lease. What
// a loop does must be right also if two instances do it at once: a singleton saves work, it is no
// lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/collection.h"
#include "a4c/leases.h"
#include "a4c/store.h"

namespace a4cd {

struct SingletonOptions {
  int64_t lease_ms = 60'000;
  int64_t look_period_ms = 5'000;  // how often an instance looks whether a loop is due
  int64_t retry_wait_ms = 5'000;   // after a step that failed
};

a4c::RecordRef LoopRef(const std::string& name);

// [any thread]
class Singletons {
 public:
  // All outlive what Wrap made. store: of the database, for its leases.
  Singletons(a4c::Database& database, a4c::Store& store, const a4c::Runtime& runtime,
             std::string instance, const SingletonOptions& options = {});

  // The loop as a singleton of its name; null if it is null.
  std::unique_ptr<a4c::Loop> Wrap(std::unique_ptr<a4c::Loop> loop);

 private:
  friend class SingletonLoop;
  a4c::Database& database_;
  const std::unique_ptr<a4c::Leases> own_leases_;  // null: the store has its own
  a4c::Leases& leases_;
  const a4c::Runtime runtime_;
  const std::string instance_;
  const SingletonOptions options_;
};

}  // namespace a4cd
