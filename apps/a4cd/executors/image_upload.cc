#include "apps/a4cd/executors/image_upload.h"

#include <algorithm>
#include <span>
#include <vector>

#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/image_build.h"
#include "apps/a4cd/jobs/job_draft.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/work/job_attempt.h"

namespace a4cd {
namespace {

using a4c::Claimed;
using a4c::Code;
using a4c::Error;
using a4c::Result;

constexpr int64_t kBuilderPollMs = 200;

bool IsBusy(const Result<Outcome>& outcome) {
  return outcome && outcome->what == Outcome::What::kTryLater &&
         outcome->reason == reason::kServerBusy;
}

// Another attempt would have nothing to build from.
Outcome ForGood(const Result<Outcome>& result, bool is_context_lost) {
  Outcome outcome = result ? *result : OutcomeOf(result.error());
  if (outcome.what != Outcome::What::kTryLater) return outcome;
  outcome.what = Outcome::What::kFailed;
  if (is_context_lost || outcome.reason == reason::kRetrying) outcome.reason = reason::kContextLost;
  outcome.message += "; its context is not kept: send it again";
  return outcome;
}

Result<Outcome> BuildOnceFree(JobRun& run, JobLog& log, const a4c::ByteSource& tar) {
  const a4c::Clock& clock = run.context().runtime.clock;
  const int64_t until_ms = clock.MonotonicMs() + run.context().options.builder_wait_ms;
  const auto waiter = run.context().runtime.threads.NewWaiter();
  while (true) {
    Result<Outcome> outcome =
        BuildImageFrom(run, log, tar, run.job().payload["context_bytes"].Int());
    if (!IsBusy(outcome) || run.Stopping() || clock.MonotonicMs() >= until_ms) return outcome;
    a4c::Waiter::Lock lock(*waiter);
    waiter->Wait(clock.MonotonicMs() + kBuilderPollMs);
  }
}

Result<std::vector<Claimed>> Claim(WorkContext& context, const std::string& tenant, const Job& job,
                                   const std::string& holder) {
  return context.leases.Claim(context.StoreCall(), {.kind = JobKind(),
                                                    .index = "by_turn",
                                                    .scopes = {tenant},
                                                    .prefix = {job.subject},
                                                    .count = 1,
                                                    .holder = holder,
                                                    .lease_ms = context.options.lease_ms});
}

}  // namespace

Result<void> BuildFromContext(WorkContext& context, const a4c::Call& stop,
                              const std::string& tenant, const std::string& id,
                              const a4c::ByteSource& tar) {
  const a4c::RecordRef ref = JobRef(tenant, id);
  A4C_TRY(const a4c::GetAnswer answer,
          context.database.Get(context.StoreCall(), std::span(&ref, 1)));
  if (!answer.records.at(0) || answer.records[0]->tombstone) {
    return Error(Code::kNotFound, "there is no job " + id);
  }
  A4C_TRY(const Job job, JobOf(*answer.records[0]));
  const auto refusal = [&](const char* why) {
    return Error(Code::kConflict, "job " + id + " waits for no context: " + why);
  };
  if (!AwaitsContext(job)) return refusal("it is no image.build without one");
  if (!IsUnderstood(job.type, job.payload)) return Error(Code::kUnavailable, kOfNewerVersion);
  if (job.state != JobState::kPending) return refusal("it has begun, or ended");
  const std::string holder = context.instance + "/" + id;
  const int64_t sent_at_ms = context.runtime.clock.MonotonicMs();
  A4C_TRY(const std::vector<Claimed> claimed, Claim(context, tenant, job, holder));
  if (claimed.empty()) return refusal("another one is at it");
  const JobClaim claim{claimed[0], sent_at_ms};
  bool is_context_lost = false;
  const a4c::ByteSource watched = [&]() -> Result<std::string> {
    Result<std::string> piece = tar();
    is_context_lost = is_context_lost || !piece;
    return piece;
  };
  return JobAttempts(context, holder)
      .Run(stop, claim, [&](JobRun& run, JobLog& log) -> Result<Outcome> {
        const Result<Outcome> outcome = BuildOnceFree(run, log, watched);
        if (!outcome) log.Note(outcome.error().ToString() + "\n");
        return ForGood(outcome, is_context_lost);
      });
}

}  // namespace a4cd
