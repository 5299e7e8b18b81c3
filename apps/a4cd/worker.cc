#include "apps/a4cd/worker.h"

#include <utility>

#include "a4c/host_activity.h"
#include "a4c/host_images.h"
#include "a4c/host_volumes.h"
#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/image_upload.h"
#include "apps/a4cd/upkeep/builds_loop.h"
#include "apps/a4cd/work/work_loop.h"

namespace a4cd {

Worker::Worker(a4c::Database& database, a4c::Store& store, a4c::HostProvider& hosts,
               JobService& jobs, a4c::IdSource& ids, const a4c::Runtime& runtime,
               const WorkerOptions& options)
    : runtime_(runtime),
      options_(options),
      database_(database),
      hosts_(hosts),
      jobs_(jobs),
      own_leases_(store.As<a4c::Leases>() == nullptr ? a4c::NewLeases(store) : nullptr),
      enrolments_(database, hosts, runtime, options.enrolment_period_ms),
      tokens_(database, hosts, runtime, options.tokens, &enrolments_),
      disks_(database, hosts, enrolments_, runtime, options.disks),
      reservations_(database, disks_, runtime, options.placement),
      shares_(database, runtime),
      context_{.runtime = runtime,
               .database = database,
               .leases = own_leases_ ? *own_leases_ : *store.As<a4c::Leases>(),
               .hosts = hosts,
               .enrolments = enrolments_,
               .tokens = tokens_,
               .disks = disks_,
               .reservations = reservations_,
               .shares = shares_,
               .secrets = options.secrets,
               .instance = ids.Next(),
               .options = options.work,
               .cleanup = options.cleanup.policy},
      desk_(context_),
      busy_(runtime) {}

std::vector<std::unique_ptr<a4c::Loop>> Worker::NewWorkLoops(const JobStep& step) {
  std::vector<std::unique_ptr<a4c::Loop>> loops;
  for (int number = 1; number <= options_.work.workers; ++number) {
    loops.push_back(NewWorkLoop(context_, desk_, busy_, number, step ? step : JobStep(Execute)));
  }
  busy_.Add(options_.work.workers);
  return loops;
}

a4c::Result<void> Worker::BuildFromContext(const std::string& tenant, const std::string& job,
                                           const a4c::ByteSource& tar) {
  a4c::Call call = context_.StoreCall();
  call.stop = builds_.get_token();
  return a4cd::BuildFromContext(context_, call, tenant, job, tar);
}

std::vector<std::unique_ptr<a4c::Loop>> Worker::NewSingletons() {
  std::vector<std::unique_ptr<a4c::Loop>> loops = disks_.NewLoops();
  for (auto& loop : NewReconcilers(database_, hosts_, tokens_, reservations_, jobs_, runtime_,
                                   options_.reconciler)) {
    loops.push_back(std::move(loop));
  }
  loops.push_back(NewExpiryLoop(database_, jobs_, runtime_, options_.expiry));
  loops.push_back(NewDrainLoop(database_, jobs_, options_.drain));
  if (auto* activity = hosts_.As<a4c::HostActivity>()) {
    loops.push_back(NewIdleLoop(database_, *activity, jobs_, runtime_, options_.idle));
  }
  if (hosts_.As<a4c::HostVolumes>() != nullptr) {
    loops.push_back(NewSnapshotLoop(database_, jobs_, runtime_, options_.snapshots));
  }
  if (auto* images = hosts_.As<a4c::HostImageSupply>()) {
    loops.push_back(NewBuildsLoop(database_, *images, disks_, runtime_));
  }
  loops.push_back(NewCleanupLoop(database_, jobs_, disks_, runtime_, options_.cleanup));
  return loops;
}

}  // namespace a4cd
