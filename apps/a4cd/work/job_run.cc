#include "apps/a4cd/work/job_run.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/work/lease_keeper.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Committed;
using a4c::Error;
using a4c::Expect;
using a4c::OpFailure;
using a4c::Record;
using a4c::RecordRef;
using a4c::Result;

namespace {

constexpr int kCommitTriesMax = 16;
// While the store is away.
constexpr int64_t kFirstPauseMs = 50;
constexpr int64_t kLongestPauseMs = 1'000;
constexpr int64_t kProgressPeriodMs = 1'000;

// A lease that was taken over, or an epoch that is not ours: the only quiet values that are
// checked.
bool LeaseWasLost(const std::vector<OpFailure>& failures) {
  return std::ranges::any_of(failures, [](const OpFailure& failure) {
    return failure.reason == OpFailure::Reason::kQuiet;
  });
}

std::string NewClaim(a4c::Random& random) {
  char text[33];
  std::snprintf(text, sizeof(text), "%016llx%016llx",
                static_cast<unsigned long long>(random.Next()),
                static_cast<unsigned long long>(random.Next()));
  return text;
}

}  // namespace

JobRun::JobRun(WorkContext& context, const JobClaim& claim, std::stop_token stop,
               LeaseKeeper* keeper, std::string holder)
    : context_(context),
      ref_(claim.job.record.ref),
      lease_(claim.job.lease),
      claim_(NewClaim(context.runtime.random)),
      stop_(std::move(stop)),
      started_mono_ms_(context.runtime.clock.MonotonicMs()),
      keeper_(keeper),
      holder_(std::move(holder)) {
  if (Result<Job> job = JobOf(claim.job.record)) job_ = *std::move(job);
  if (job_.reason == reason::kNoCapacity) room_waited_ms_ = job_.due_at - job_.updated_at;
}

Result<bool> JobRun::TakeServer(const std::string& host) {
  A4C_CHECK(context_.disks.Find(context_.StoreCall(), host));
  A4C_TRY(const std::vector<a4c::Claimed> claimed,
          context_.leases.Claim(context_.StoreCall(), {.kind = HostKind(),
                                                       .index = "by_server",
                                                       .prefix = {host},
                                                       .holder = holder_,
                                                       .lease_ms = context_.options.lease_ms}));
  if (claimed.empty()) return false;
  servers_.push_back(claimed[0].lease);
  keeper_->Join(claimed[0].lease);
  return true;
}

Result<bool> JobRun::RaiseEpoch(int64_t above) {
  a4c::Lease raised = lease_;
  raised.epoch = std::max(raised.epoch, above) + 1;
  A4C_TRY(const bool is_ours, Commit([&](Draft& draft) -> Result<void> {
            draft.also.emplace_back(
                a4c::Put{.ref = lease_.subject, .quiet = {{"epoch", raised.epoch}}});
            return {};
          }));
  if (!is_ours) return false;
  lease_ = raised;
  claim_ = NewClaim(context_.runtime.random);
  keeper_->Raise(raised);
  return true;
}

int64_t JobRun::NowMs() const {
  return context_.database.NowMs();
}

Call JobRun::HostCall() const {
  int64_t deadline_ms = started_mono_ms_ + context_.options.run_timeout_ms;
  if (job_.deadline_at != 0) {
    const int64_t left_ms = std::max<int64_t>(0, job_.deadline_at - NowMs());
    deadline_ms = std::min(deadline_ms, context_.runtime.clock.MonotonicMs() + left_ms);
  }
  return Call{context_.runtime.clock, deadline_ms, stop_, {}};
}

a4c::Check JobRun::LeaseCheck() const {
  return {.ref = lease_.subject, .quiet = {{"epoch", lease_.epoch}}};
}

a4c::Op JobRun::LeaseRelease() const {
  return a4c::Put{.ref = lease_.subject, .quiet = {{"holder", {}}, {"until", {}}}};
}

Result<bool> JobRun::ReadSubject() {
  // A body that is none of ours is told by Read.
  if (job_.id.empty() || !job_.workspace.empty()) return Read();
  return !gone_;
}

Result<bool> JobRun::Read() {
  std::vector<RecordRef> refs{ref_};
  if (!job_.workspace.empty()) refs.push_back(WorkspaceRef(tenant(), job_.workspace));
  A4C_TRY(a4c::GetAnswer answer, context_.database.Get(context_.StoreCall(), refs));
  const std::optional<Record>& record = answer.records.at(0);
  gone_ = gone_ || !record || record->tombstone;
  if (gone_) return false;
  A4C_TRY(job_, JobOf(*record));
  gone_ = job_.finished();
  workspace_.reset();
  if (refs.size() > 1 && answer.records.at(1) && !answer.records[1]->tombstone) {
    A4C_TRY(workspace_, WorkspaceOf(*answer.records[1]));
  }
  return !gone_;
}

a4c::Commit JobRun::CommitOf(const Draft& draft) const {
  a4c::Commit commit;
  if (JobBody(draft.job) != JobBody(job_)) {
    commit.changes.push_back(
        {.ref = ref_, .body = JobBody(draft.job), .expect = Expect::Rev(job_.rev)});
  } else {
    commit.also.emplace_back(a4c::Check{.ref = ref_, .rev = job_.rev});
  }
  if (draft.workspace &&
      (draft.workspace_gone || WorkspaceBody(*draft.workspace) != WorkspaceBody(*workspace_))) {
    commit.changes.push_back({.ref = WorkspaceRef(tenant(), workspace_->id),
                              .body = WorkspaceBody(*draft.workspace),
                              .tombstone = draft.workspace_gone,
                              .expect = Expect::Rev(workspace_->rev)});
  }
  commit.also.emplace_back(LeaseCheck());
  commit.also.insert(commit.also.end(), draft.also.begin(), draft.also.end());
  return commit;
}

void JobRun::Adopt(const Draft& draft) {
  if (JobBody(draft.job) != JobBody(job_)) {
    const int64_t rev = job_.rev + 1;
    job_ = draft.job;
    job_.rev = rev;
  }
  if (draft.workspace_gone) {
    workspace_.reset();
  } else if (draft.workspace && WorkspaceBody(*draft.workspace) != WorkspaceBody(*workspace_)) {
    const int64_t rev = workspace_->rev + 1;
    workspace_ = draft.workspace;
    workspace_->rev = rev;
  }
}

// False: this worker has to stop.
bool JobRun::Pause(int64_t pause_ms) const {
  const a4c::Clock& clock = context_.runtime.clock;
  const std::unique_ptr<a4c::Waiter> waiter = context_.runtime.threads.NewWaiter();
  const int64_t until_ms = clock.MonotonicMs() + pause_ms;
  const a4c::Waiter::Lock lock(*waiter);
  while (clock.MonotonicMs() < until_ms && !Stopping()) waiter->Wait(until_ms);
  return !Stopping();
}

template <typename Ask>
auto JobRun::WhileAway(const Ask& ask) const {
  int64_t pause_ms = kFirstPauseMs;
  auto answer = ask();
  while (!answer && answer.error().retryable() && Pause(pause_ms)) {
    pause_ms = std::min(2 * pause_ms, kLongestPauseMs);
    answer = ask();
  }
  return answer;
}

Result<Committed> JobRun::Write(const a4c::Commit& commit) const {
  return WhileAway([&] { return context_.database.Write(context_.StoreCall(), commit); });
}

Result<a4c::ScanAnswer> JobRun::Scan(const a4c::ScanRequest& request) const {
  return WhileAway([&] { return context_.database.Scan(context_.StoreCall(), request); });
}

Result<bool> JobRun::Recover(const std::vector<OpFailure>& failures) {
  gone_ = gone_ || LeaseWasLost(failures);
  if (gone_) return false;
  return WhileAway([this] { return Read(); });
}

Result<bool> JobRun::Commit(const std::function<Result<void>(Draft&)>& step) {
  for (int i = 0; i < kCommitTriesMax; ++i) {
    Draft draft = NewDraft();
    A4C_CHECK(step(draft));
    const Result<Committed> done = Write(CommitOf(draft));
    if (!done && !done.error().unknown_outcome()) return done.error();
    if (done && done->outcome == Committed::Outcome::kApplied) {
      Adopt(draft);
      return true;
    }
    if (done && done->outcome == Committed::Outcome::kOutOfBounds) {
      return Error(Code::kInternal, "job " + job_.id + " gives back more than was reserved");
    }
    // Also what is unknown is decided anew by what is there.
    A4C_TRY(const bool is_ours, Recover(done ? done->failures : std::vector<OpFailure>()));
    if (!is_ours) return false;
  }
  return Error(Code::kConflict, "job " + job_.id + " kept changing while it was written");
}

void JobRun::ShowProgress(const std::string& text) {
  const int64_t now_ms = context_.runtime.clock.MonotonicMs();
  if (gone_ || (progress_at_ms_ && now_ms - *progress_at_ms_ < kProgressPeriodMs)) return;
  progress_at_ms_ = now_ms;
  Draft draft = NewDraft();
  draft.job.progress = a4c::Json::Object{{"text", text}};
  draft.job.updated_at = NowMs();
  const Result<Committed> done = context_.database.Write(context_.StoreCall(), CommitOf(draft));
  if (done && done->outcome == Committed::Outcome::kApplied) Adopt(draft);
}

}  // namespace a4cd
