#include "apps/a4cd/work/work_loop.h"

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/work/executors.h"
#include "apps/a4cd/work/job_attempt.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Claimed;
using a4c::Result;

constexpr int kSeenJobs = 20;            // of each priority
constexpr size_t kTenantsTriedMax = 32;  // in one step

Result<Outcome> Execute(JobRun& run, JobLog& log) {
  const Executor executor = ExecutorOf(run.job().type);
  if (executor == nullptr) {
    return Outcome::Failed(reason::kError, "this version cannot do a " + run.job().type);
  }
  return executor(run, log);
}

class WorkLoop final : public a4c::Loop {
 public:
  WorkLoop(WorkContext& context, int number)
      : name_("worker-" + std::to_string(number)),
        context_(context),
        holder_(context.instance + "/" + std::to_string(number)),
        attempts_(context, holder_) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const int64_t now_ms, StoreTime());
    A4C_TRY(const std::set<std::string> seen, TenantsWithWork(now_ms));
    if (!seen.empty()) {
      A4C_TRY(const std::vector<std::string> tenants,
              context_.shares.Order(context_.StoreCall(), seen));
      for (size_t i = 0; i < std::min(tenants.size(), kTenantsTriedMax); ++i) {
        if (call.Stopping()) return int64_t{0};
        A4C_TRY(const bool has_worked, WorkFor(call, tenants[i], now_ms));
        if (has_worked) return int64_t{0};
        context_.shares.Idle(tenants[i]);
      }
    }
    const int64_t period_ms = context_.options.idle_period_ms;
    return RetryWaitMs(1, period_ms, period_ms, context_.runtime.random.Next());
  }

 private:
  // Of the jobs that are due those of the most urgent first: some of the tenants that have one, all
  // of them unless one has very many. Empty: nothing is due.
  Result<std::set<std::string>> TenantsWithWork(int64_t now_ms) {
    std::set<std::string> tenants;
    for (int64_t queue = 0; queue <= kPriorityMax; ++queue) {
      A4C_TRY(const a4c::ScanAnswer page,
              context_.database.Scan(context_.StoreCall(), {.kind = JobKind().name,
                                                            .index = "by_due",
                                                            .prefix = {queue},
                                                            .upper = now_ms + 1,
                                                            .limit = kSeenJobs}));
      for (const a4c::Record& record : page.records) tenants.insert(record.ref.key.scope);
    }
    return tenants;
  }

  // Within a tenant by priority, then by when it is due.
  Result<bool> WorkFor(const Call& call, const std::string& tenant, int64_t now_ms) {
    for (int64_t queue = 0; queue <= kPriorityMax; ++queue) {
      const int64_t sent_at_ms = context_.runtime.clock.MonotonicMs();
      A4C_TRY(const std::vector<Claimed> claimed,
              context_.leases.Claim(context_.StoreCall(), {.kind = JobKind(),
                                                           .index = "by_tenant_due",
                                                           .scopes = {tenant},
                                                           .prefix = {queue},
                                                           .upper = now_ms + 1,
                                                           .count = 1,
                                                           .holder = holder_,
                                                           .lease_ms = context_.options.lease_ms}));
      if (claimed.empty()) continue;
      context_.shares.Begin(tenant);
      const Result<void> worked = attempts_.Run(call, claimed[0], sent_at_ms, Execute);
      context_.shares.End(tenant, context_.runtime.clock.MonotonicMs() - sent_at_ms);
      if (!worked) return worked.error();
      return true;
    }
    return false;
  }

  // Any read tells it.
  Result<int64_t> StoreTime() {
    const a4c::RecordRef ref = HostRef("none");
    A4C_TRY(const a4c::GetAnswer answer,
            context_.database.Get(context_.StoreCall(), std::span(&ref, 1)));
    return answer.store_time_ms;
  }

  const std::string name_;
  WorkContext& context_;
  const std::string holder_;
  JobAttempts attempts_;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewWorkLoop(WorkContext& context, int number) {
  return std::make_unique<WorkLoop>(context, number);
}

}  // namespace a4cd
