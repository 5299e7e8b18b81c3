// The reconciler: brings what is known of workspaces in line with what their servers say, and
// removes leftovers. It never removes for absence, and starts only what its workspace's `restart`
// wants, by jobs.
//
//  - A unit that ended, or is gone: its workspace's `actual` says so, unless a job is at it.
//  - A server that has been silent for lost_after: what was recorded as running there is "lost",
//    until the server says what became of it.
//  - A unit whose workspace is a tombstone is removed: a worker that slept has made it again.
//  - Room that a job has left reserved is given back once the server answers.
//  - A unit that no record names is only counted: metric a4c_host_units_unclaimed.
//
// All servers are visited every period, and with look_ms one that was silent soon after it answers.
//
// Which servers answer stands in their records (disk_service.h). Those that do are reconciled some
// at once; those that are slow or silent apart from them, so that they cost the others neither time
// nor threads. Of the silent ones nothing is asked.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "apps/a4cd/hosts/host_tokens.h"
#include "apps/a4cd/hosts/restarts.h"
#include "apps/a4cd/placement/reservations.h"

namespace a4cd {

struct ReconcilerOptions {
  static constexpr int64_t kLookMs = 2'000;

  int64_t period_ms = 15'000;       // from the beginning of one round to that of the next
  int64_t look_ms = 0;              // for those that have come back within a period; 0: never
  int64_t host_timeout_ms = 5'000;  // for one server: its list, and what is removed there
  int64_t patience_ms = 2'000;      // for the list of one that is not slow
  int hosts_at_once = 1;            // reconciled by as many threads, which live for one round
  int apart_at_once = 1;            // the same of those that are slow or silent
  int64_t lost_after_ms = 300'000;
  RestartOptions restarts = {};
};

// "reconciler" for the servers that answer, "reconciler-apart" for the others: to be run as
// singletons. All outlive the loops.
std::vector<std::unique_ptr<a4c::Loop>> NewReconcilers(a4c::Database& database,
                                                       a4c::HostProvider& hosts, HostTokens& tokens,
                                                       Reservations& reservations, JobService& jobs,
                                                       const a4c::Runtime& runtime,
                                                       const ReconcilerOptions& options = {});

}  // namespace a4cd
