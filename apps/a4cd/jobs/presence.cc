#include "apps/a4cd/jobs/presence.h"

#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {
namespace {

constexpr int64_t kPeriodMs = 15'000;
constexpr int64_t kTimeoutMs = 2'000;

}  // namespace

Presence::Presence(a4c::Database& database, const a4c::Runtime& runtime, const std::string& tenant,
                   const Workspace& workspace)
    : database_(database),
      runtime_(runtime),
      ref_(WorkspaceRef(tenant, workspace.id)),
      rev_(workspace.rev),
      is_wanted_(workspace.idle_stop_ms > 0),
      done_ms_(runtime.clock.MonotonicMs() - (is_wanted_ ? kPeriodMs : 0)) {}

a4c::Result<void> Presence::Begin(const a4c::Call& call) {
  return is_wanted_ ? Write(call, true) : a4c::Result<void>();
}

void Presence::Keep() {
  if (runtime_.clock.MonotonicMs() - done_ms_ < kPeriodMs) return;
  const a4c::Call call = a4c::Call::Within(runtime_.clock, kTimeoutMs);
  if (!is_wanted_) LookAgain(call);
  if (is_wanted_) (void)Write(call, false);
}

void Presence::LookAgain(const a4c::Call& call) {
  done_ms_ = runtime_.clock.MonotonicMs();
  const a4c::Result<a4c::GetAnswer> answer = database_.Get(call, std::span(&ref_, 1));
  if (!answer || !answer->records.at(0)) return;
  const a4c::Result<Workspace> now = WorkspaceOf(*answer->records[0]);
  is_wanted_ = now && now->idle_stop_ms > 0;
}

a4c::Result<void> Presence::Write(const a4c::Call& call, bool is_first) {
  done_ms_ = runtime_.clock.MonotonicMs();
  a4c::Commit commit{.also = {a4c::Put{.ref = ref_, .quiet = {{kSessionAt, database_.NowMs()}}}}};
  if (is_first) commit.also.emplace_back(a4c::Check{.ref = ref_, .rev = rev_});
  A4C_TRY(const a4c::Committed done, database_.Write(call, commit));
  if (done.outcome == a4c::Committed::Outcome::kApplied) return {};
  return a4c::Error(a4c::Code::kConflict, "the workspace has changed just now", "try again");
}

}  // namespace a4cd
