// What work is done with: shared by all work loops of a process, which it outlives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "a4c/clock.h"
#include "a4c/collection.h"
#include "a4c/host_provider.h"
#include "a4c/leases.h"
#include "apps/a4cd/hosts/cleanup_policy.h"
#include "apps/a4cd/hosts/disk_service.h"
#include "apps/a4cd/hosts/enrolments.h"
#include "apps/a4cd/hosts/host_tokens.h"
#include "apps/a4cd/placement/reservations.h"
#include "apps/a4cd/secrets/secret_service.h"
#include "apps/a4cd/work/fair_shares.h"

namespace a4cd {

struct WorkOptions {
  int workers = 4;                  // jobs at a time
  int long_jobs_max = 0;            // of these that may take long; 0: all but one
  int64_t lease_ms = 30'000;        // of a job whose worker died another takes over after this
  int64_t idle_period_ms = 250;     // between looks for work when there was none
  int64_t watch_period_ms = 1'000;  // how soon a running job notices that it was canceled
  int64_t retry_wait_ms = 1'000;    // before a second attempt; doubles up to the next
  int64_t retry_wait_max_ms = 60'000;
  int64_t capacity_wait_ms = 5'000;           // before a job without room is placed again
  int64_t capacity_wait_max_ms = 5 * 60'000;  // doubles up to this if no server could ever take it
  int64_t context_wait_ms = 5 * 60'000;       // for a build's context to come
  int64_t builder_wait_ms = 60'000;    // while another job is at work on the server that builds
  int64_t run_timeout_ms = 3'600'000;  // of one attempt, if the job has no deadline
  int64_t store_timeout_ms = 10'000;   // of one read or write
  int64_t log_bytes_max = 1 << 20;     // of one job: head and tail are kept

  int LongJobsMax() const {
    return std::clamp(long_jobs_max == 0 ? workers - 1 : long_jobs_max, 1, std::max(1, workers));
  }
};

struct WorkContext {
  const a4c::Runtime runtime;
  a4c::Database& database;
  a4c::Leases& leases;
  a4c::HostProvider& hosts;
  Enrolments& enrolments;
  HostTokens& tokens;
  DiskService& disks;
  Reservations& reservations;
  FairShares& shares;
  SecretService* secrets;      // null: there are none
  const std::string instance;  // unique among the processes of the installation
  const WorkOptions options = {};
  const CleanupPolicy cleanup = {};

  a4c::Call StoreCall() const { return a4c::Call::Within(runtime.clock, options.store_timeout_ms); }
};

}  // namespace a4cd
