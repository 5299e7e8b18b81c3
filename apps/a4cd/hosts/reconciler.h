// The reconciler: brings what is known of workspaces in line with what their servers say, and
// removes leftovers. It never removes for absence, and starts only what its workspace's `restart`
// wants, by jobs.
//
//  - A unit that ended, or is gone: its workspace's `actual` says so, unless a job is at it.
//  - A server that has been silent for lost_after: what was recorded as running there is "lost",
//    until the server says what became of it.
//  - A unit whose workspace is a tombstone is removed once it has been seen twice.
//  - Room that a job has left reserved is given back once the server answers.
//  - A unit that no record names is only counted: metric a4c_host_units_unclaimed.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "apps/a4cd/hosts/host_tokens.h"
#include "apps/a4cd/hosts/restarts.h"
#include "apps/a4cd/placement/reservations.h"

namespace a4cd {

struct ReconcilerOptions {
  int64_t period_ms = 15'000;
  int64_t host_timeout_ms = 10'000;
  int64_t lost_after_ms = 300'000;
  RestartOptions restarts = {};
};

// All outlive the loop.
std::unique_ptr<a4c::Loop> NewReconciler(a4c::Database& database, a4c::HostProvider& hosts,
                                         HostTokens& tokens, Reservations& reservations,
                                         JobService& jobs, const a4c::Runtime& runtime,
                                         const ReconcilerOptions& options = {});

}  // namespace a4cd
