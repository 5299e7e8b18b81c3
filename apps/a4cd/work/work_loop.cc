#include "apps/a4cd/work/work_loop.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/work/executors.h"
#include "apps/a4cd/work/lease_keeper.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Claimed;
using a4c::LogLevel;
using a4c::Result;

constexpr int kSeenJobs = 20;            // of each priority
constexpr size_t kTenantsTriedMax = 32;  // in one step

class WorkLoop final : public a4c::Loop {
 public:
  WorkLoop(WorkContext& context, int number)
      : name_("worker-" + std::to_string(number)),
        context_(context),
        holder_(context.instance + "/" + std::to_string(number)),
        keeper_(context) {}

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
      const Result<void> worked = Work(call, claimed[0], sent_at_ms);
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

  // An error: the job could not be read or ended. Then its lease is left to expire.
  Result<void> Work(const Call& call, const Claimed& claimed, int64_t sent_at_ms) {
    const std::stop_token stop =
        keeper_.Hold(claimed.lease, claimed.record.ref, sent_at_ms, call.stop);
    JobRun run(context_, claimed, stop, &keeper_, holder_);
    const Result<void> done = RunJob(run, call);
    keeper_.Drop();
    if (!done) return done.error().Within("job " + claimed.record.ref.key.id);
    Note(run);
    std::vector<a4c::Lease> leases = run.servers();
    leases.push_back(claimed.lease);
    A4C_CHECK(context_.leases.Release(context_.StoreCall(), leases));
    return {};
  }

  Result<void> RunJob(JobRun& run, const Call& call) {
    A4C_TRY(const bool is_ours, run.Read());
    if (!is_ours) return {};
    if (const std::optional<Outcome> end = EndBeforeStart(run)) return End(run, *end);
    A4C_CHECK(KnowServers(run));
    A4C_TRY(const bool is_started, run.Commit([&](Draft& draft) -> Result<void> {
      A4C_TRY(draft.job, Started(draft.job, run.NowMs(), run.lease().until_ms));
      return {};
    }));
    if (!is_started) return {};
    JobLog log(run);
    Result<Outcome> outcome = Execute(run, log);
    if (!outcome) {
      log.Note(outcome.error().ToString() + "\n");
      outcome = OutcomeOf(outcome.error());
    }
    if (outcome->what != Outcome::What::kSucceeded && call.Stopping()) outcome = Interrupted();
    if (const Result<void> closed = log.Close(); !closed && !run.gone()) {
      context_.runtime.log.Write(LogLevel::kWarning, "work",
                                 "a part of a job's log could not be written",
                                 {{"job", run.job().id}, {"error", closed.error().ToString()}});
    }
    return End(run, *outcome);
  }

  // What does not need an attempt.
  static std::optional<Outcome> EndBeforeStart(const JobRun& run) {
    const Job& job = run.job();
    if (job.deadline_at != 0 && run.NowMs() >= job.deadline_at) {
      return Outcome::Failed(reason::kDeadline, "its deadline passed before it could be done");
    }
    if (!job.workspace.empty() && !run.workspace() && job.type != "workspace.delete") {
      return Outcome{.what = Outcome::What::kCanceled,
                     .reason = std::string(reason::kSubjectGone),
                     .message = "its workspace was deleted"};
    }
    // A running job that can be claimed was left by a worker that died: that was an attempt.
    if (job.state == JobState::kRunning && job.attempts >= job.attempts_max) {
      return Outcome::Failed(reason::kError, "its worker was lost, and no attempts are left");
    }
    return std::nullopt;
  }

  // The servers that the job is about, which may have been enrolled through another instance. One
  // that cannot be taken now is as good as unknown: the attempt finds out.
  Result<void> KnowServers(const JobRun& run) {
    std::vector<std::string> hosts{run.job().host, run.job().payload["host"].Text()};
    if (run.workspace()) hosts.push_back(run.workspace()->host);
    for (const std::string& host : hosts) {
      const Result<void> known = context_.enrolments.Know(context_.StoreCall(), host);
      if (!known && known.error().retryable()) return known.error();
    }
    return {};
  }

  static Result<Outcome> Execute(JobRun& run, JobLog& log) {
    const Executor executor = ExecutorOf(run.job().type);
    if (executor == nullptr) {
      return Outcome::Failed(reason::kError, "this version cannot do a " + run.job().type);
    }
    return executor(run, log);
  }

  // The process stops: another one goes on at once.
  static Outcome Interrupted() {
    return {.what = Outcome::What::kTryLater,
            .reason = std::string(reason::kWaiting),
            .message = "its worker was stopped; another one goes on with it",
            .result = {},
            .counts = false};
  }

  Result<void> End(JobRun& run, const Outcome& outcome) {
    if (outcome.what == Outcome::What::kGone || run.gone()) return {};
    const int64_t wait_ms =
        RetryWaitMs(run.job().attempts, context_.options.retry_wait_ms,
                    context_.options.retry_wait_max_ms, context_.runtime.random.Next());
    A4C_CHECK(
        run.Commit([&](Draft& draft) { return EndAttempt(outcome, run.NowMs(), wait_ms, draft); }));
    return {};
  }

  void Note(const JobRun& run) {
    const Job& job = run.job();
    if (run.gone() || !job.finished()) return;
    const std::string_view state = JobStateName(job.state);
    context_.runtime.metrics.Count("a4c_jobs_finished_total",
                                   {{"type", job.type}, {"state", state}});
    context_.runtime.metrics.Observe("a4c_job_seconds", {{"type", job.type}},
                                     static_cast<double>(job.finished_at - job.created_at) / 1000);
    context_.runtime.log.Write(
        job.state == JobState::kFailed ? LogLevel::kWarning : LogLevel::kInfo, "work",
        "a job has ended",
        {{"job", job.id},
         {"type", job.type},
         {"state", std::string(state)},
         {"reason", job.reason},
         {"message", job.message}});
  }

  const std::string name_;
  WorkContext& context_;
  const std::string holder_;
  LeaseKeeper keeper_;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewWorkLoop(WorkContext& context, int number) {
  return std::make_unique<WorkLoop>(context, number);
}

}  // namespace a4cd
