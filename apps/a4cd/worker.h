// The role worker, put together: disk service, placement, work loops, reconciler and expiry. A
// process without the role makes it too, to explain placements, and starts no loops.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/collection.h"
#include "a4c/host_images.h"
#include "a4c/host_provider.h"
#include "a4c/leases.h"
#include "a4c/record.h"
#include "a4c/store.h"
#include "apps/a4cd/hosts/disk_service.h"
#include "apps/a4cd/hosts/drain_loop.h"
#include "apps/a4cd/hosts/enrolments.h"
#include "apps/a4cd/hosts/host_tokens.h"
#include "apps/a4cd/hosts/reconciler.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/placement/reservations.h"
#include "apps/a4cd/upkeep/cleanup_loop.h"
#include "apps/a4cd/upkeep/expiry_loop.h"
#include "apps/a4cd/upkeep/idle_loop.h"
#include "apps/a4cd/upkeep/snapshot_loop.h"
#include "apps/a4cd/work/busy_workers.h"
#include "apps/a4cd/work/job_attempt.h"
#include "apps/a4cd/work/job_desk.h"
#include "apps/a4cd/work/work_context.h"

namespace a4cd {

struct WorkerOptions {
  WorkOptions work = {};
  PlacementOptions placement = {};
  DiskOptions disks = {};
  HostTokenOptions tokens = {};
  int64_t enrolment_period_ms = 2'000;
  ReconcilerOptions reconciler = {};
  ExpiryOptions expiry = {};
  DrainOptions drain = {};
  CleanupOptions cleanup = {};
  IdleOptions idle = {};
  SnapshotLoopOptions snapshots = {};
  SecretService* secrets = nullptr;  // null: there are none
};

class Worker {
 public:
  // All outlive the Worker. store: of the database, for its leases.
  Worker(a4c::Database& database, a4c::Store& store, a4c::HostProvider& hosts, JobService& jobs,
         a4c::IdSource& ids, const a4c::Runtime& runtime, const WorkerOptions& options);

  // To be run by a thread each, and gone before the Worker: the workers themselves, and loops that
  // are to run as singletons. step: what they do with a job; null: what its type says.
  std::vector<std::unique_ptr<a4c::Loop>> NewWorkLoops(const JobStep& step = nullptr);
  std::vector<std::unique_ptr<a4c::Loop>> NewSingletons();
  // Of every process, whatever its role: keep the provider's servers those that are enrolled, and
  // this store theirs. May be null.
  std::unique_ptr<a4c::Loop> NewEnrolmentLoop() { return enrolments_.NewLoop(); }
  std::unique_ptr<a4c::Loop> NewTokenLoop() { return tokens_.NewLoop(); }

  // Builds what a client streams: see image_upload.h.
  a4c::Result<void> BuildFromContext(const std::string& tenant, const std::string& job,
                                     const a4c::ByteSource& tar);
  // Ends such builds, at the end of the process.
  void StopBuilds() { builds_.request_stop(); }

  Reservations& reservations() { return reservations_; }
  DiskService& disks() { return disks_; }
  Enrolments& enrolments() { return enrolments_; }
  HostTokens& tokens() { return tokens_; }

 private:
  const a4c::Runtime runtime_;
  const WorkerOptions options_;
  a4c::Database& database_;
  a4c::HostProvider& hosts_;
  JobService& jobs_;
  const std::unique_ptr<a4c::Leases> own_leases_;  // null: the store has its own
  Enrolments enrolments_;
  HostTokens tokens_;
  DiskService disks_;
  Reservations reservations_;
  FairShares shares_;
  WorkContext context_;
  JobDesk desk_;
  BusyWorkers busy_;
  std::stop_source builds_;
};

}  // namespace a4cd
