#include "apps/a4cd/work/job_attempt.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/snapshot.h"

namespace a4cd {

using a4c::Call;
using a4c::LogLevel;
using a4c::Result;

namespace {

// Nobody is left to do what a stop or a delete has said that it wants. A start, said when it was
// made or not, leaves a workspace that has failed.
Outcome PastDeadline(const Job& job) {
  Outcome outcome =
      Outcome::Failed(reason::kDeadline, "its deadline passed before it could be done");
  const bool is_to_end = job.type == "workspace.stop" || job.type == "workspace.delete";
  if (!is_to_end || !HasSaidWhatItWants(job)) return outcome;
  outcome.also = [](Draft& draft) -> Result<void> {
    if (!draft.workspace) return {};
    Unintend(draft.job.type, *draft.workspace);
    draft.workspace->updated_at = draft.job.updated_at;
    return {};
  };
  return outcome;
}

// Asked for before its server was said to be gone for good.
std::optional<Outcome> EndIfLost(const JobRun& run) {
  if (!run.workspace()) return std::nullopt;
  const Result<void> checked = CheckNotLost(*run.workspace(), run.job().type, run.job().payload);
  if (checked) return std::nullopt;
  return Outcome::Failed(reason::kServerLost,
                         checked.error().message() + " (" + checked.error().hint() + ")");
}

// What does not need an attempt.
std::optional<Outcome> EndBeforeStart(const JobRun& run) {
  const Job& job = run.job();
  if (job.deadline_at != 0 && run.NowMs() >= job.deadline_at) {
    return PastDeadline(job);
  }
  if (!job.workspace.empty() && !run.workspace() && job.type != "workspace.delete") {
    return Outcome{.what = Outcome::What::kCanceled,
                   .reason = std::string(reason::kSubjectGone),
                   .message = "its workspace was deleted"};
  }
  if (std::optional<Outcome> end = EndIfLost(run)) return end;
  // A running job that can be claimed was left by a worker that died: that was an attempt.
  if (job.state == JobState::kRunning && job.attempts >= job.attempts_max) {
    return Outcome::Failed(AwaitsContext(job) ? reason::kContextLost : reason::kError,
                           "its worker was lost, and no attempts are left");
  }
  return std::nullopt;
}

// What the job wants of its workspace it may have said when it was made; not if it had a delay, is
// a retry, or another one has begun since.
Result<void> Begin(const JobRun& run, Draft& draft) {
  // By this very attempt, whose commit was not known to be one.
  const bool has_begun =
      draft.job.state == JobState::kRunning && draft.job.due_at == run.lease().until_ms;
  if (!has_begun) {
    A4C_TRY(draft.job, Started(draft.job, run.NowMs(), run.lease().until_ms));
  }
  if (!draft.workspace) return {};
  const std::string before = draft.workspace->desired;
  Intend(draft.job.type, *draft.workspace);
  if (draft.job.type == "workspace.delete") draft.workspace->removing = true;
  // Asked for before it had a server: it moves from the one that it has by now.
  const bool is_first_move = draft.job.type == "workspace.move" && draft.job.attempts == 1;
  if (is_first_move && draft.job.payload["from"].Text().empty()) {
    draft.job.payload.Set("from", draft.workspace->host);
  }
  if (draft.workspace->desired != before) draft.workspace->updated_at = draft.job.updated_at;
  return {};
}

// A context that was streamed here is nowhere else, and a command that is to run once at most does
// not begin anew.
bool MayGoOnElsewhere(const Job& job) {
  const bool is_once = job.type == "command.run" && job.attempts_max == 1;
  return !AwaitsContext(job) && !is_once;
}

// The process stops: another one goes on at once.
Outcome Interrupted() {
  return {.what = Outcome::What::kTryLater,
          .reason = std::string(reason::kWaiting),
          .message = "its worker was stopped; another one goes on with it",
          .result = {},
          .counts = false};
}

}  // namespace

JobAttempts::JobAttempts(WorkContext& context, std::string holder)
    : context_(context), holder_(std::move(holder)), keeper_(context) {}

Result<void> JobAttempts::Run(const Call& call, const JobClaim& claim, const JobStep& step) {
  const a4c::RecordRef& job = claim.job.record.ref;
  const std::stop_token stop = keeper_.Hold(claim.job.lease, job, claim.sent_at_ms, call.stop);
  is_free_ = false;
  JobRun run(context_, claim, stop, &keeper_, holder_);
  const Result<void> done = RunJob(run, call, step);
  keeper_.Drop();
  if (!done) return done.error().Within("job " + job.key.id);
  Note(run);
  return Free(run);
}

Result<void> JobAttempts::Free(const JobRun& run) {
  std::vector<a4c::Lease> leases = run.servers();
  if (!is_free_) leases.push_back(run.lease());
  if (!leases.empty()) A4C_CHECK(context_.leases.Release(context_.StoreCall(), leases));
  return {};
}

Result<void> JobAttempts::GiveBack(const JobClaim& claim) {
  A4C_CHECK(context_.leases.Release(context_.StoreCall(), {&claim.job.lease, 1}));
  return {};
}

Result<void> JobAttempts::RunJob(JobRun& run, const Call& call, const JobStep& step) {
  A4C_TRY(const bool is_ours, run.ReadSubject());
  if (!is_ours) return {};
  if (const std::optional<Outcome> end = EndBeforeStart(run)) return End(run, *end);
  A4C_CHECK(KnowServers(run));
  A4C_TRY(const bool is_started, run.Commit([&](Draft& draft) { return Begin(run, draft); }));
  if (!is_started) return {};
  JobLog log(run);
  Result<Outcome> outcome = Try(run, log, step);
  if (!outcome) {
    log.Note(outcome.error().ToString() + "\n");
    outcome = OutcomeOf(outcome.error());
  }
  const bool is_cut_short = outcome->what != Outcome::What::kSucceeded && call.Stopping();
  if (is_cut_short && MayGoOnElsewhere(run.job())) outcome = Interrupted();
  if (const Result<void> closed = log.Close(); !closed && !run.gone()) {
    context_.runtime.log.Write(LogLevel::kWarning, "work",
                               "a part of a job's log could not be written",
                               {{"job", run.job().id}, {"error", closed.error().ToString()}});
  }
  return End(run, *outcome);
}

// A server that has seen a higher epoch than this store has given out: the store was restored, and
// the server takes it for its own again, or it would have denied it. The holder of the lease goes
// above, once; one that has lost it is gone.
Result<Outcome> JobAttempts::Try(JobRun& run, JobLog& log, const JobStep& step) {
  Result<Outcome> outcome = step(run, log);
  if (outcome || run.job().workspace.empty()) return outcome;
  const std::optional<int64_t> highest = HighestEpochIn(outcome.error());
  // Those of snapshots that were deleted are not ours to go above.
  if (!highest || *highest < run.lease().epoch || *highest >= kSnapshotEndEpoch) return outcome;
  log.Note(outcome.error().ToString() + "\n");
  A4C_TRY(const bool is_ours, run.RaiseEpoch(*highest));
  return is_ours ? step(run, log) : Outcome::Gone();
}

// The servers that the job is about, which may have been enrolled through another instance. Of one
// that is none the attempt finds out.
Result<void> JobAttempts::KnowServers(const JobRun& run) {
  std::vector<std::string> hosts{run.job().host, run.job().payload["host"].Text()};
  if (run.workspace()) hosts.push_back(run.workspace()->host);
  for (const std::string& host : hosts) {
    const Result<void> known = context_.enrolments.Know(context_.StoreCall(), host);
    if (!known && known.error().retryable()) return known.error();
  }
  return {};
}

Result<void> JobAttempts::End(JobRun& run, const Outcome& outcome) {
  if (outcome.what == Outcome::What::kGone || run.gone()) return {};
  const int64_t wait_ms =
      RetryWaitMs(run.job().attempts, context_.options.retry_wait_ms,
                  context_.options.retry_wait_max_ms, context_.runtime.random.Next());
  A4C_TRY(is_free_, run.Commit([&](Draft& draft) -> Result<void> {
    A4C_CHECK(EndAttempt(outcome, run.NowMs(), wait_ms, draft));
    draft.also.push_back(run.LeaseRelease());
    return {};
  }));
  return {};
}

void JobAttempts::Note(const JobRun& run) {
  const Job& job = run.job();
  if (run.gone() || !job.finished()) return;
  const std::string_view state = JobStateName(job.state);
  context_.runtime.metrics.Count("a4c_jobs_finished_total", {{"type", job.type}, {"state", state}});
  context_.runtime.metrics.Observe("a4c_job_seconds", {{"type", job.type}},
                                   static_cast<double>(job.finished_at - job.created_at) / 1000);
  context_.runtime.log.Write(job.state == JobState::kFailed ? LogLevel::kWarning : LogLevel::kInfo,
                             "work", "a job has ended",
                             {{"job", job.id},
                              {"type", job.type},
                              {"state", std::string(state)},
                              {"reason", job.reason},
                              {"message", job.message}});
}

}  // namespace a4cd
