#include "apps/a4cd/jobs/presence.h"

#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {
namespace {

constexpr int64_t kPeriodMs = 15'000;
constexpr int64_t kWriteTimeoutMs = 2'000;

}  // namespace

Presence::Presence(a4c::Database& database, const a4c::Runtime& runtime, const std::string& tenant,
                   const Workspace& workspace)
    : database_(database),
      runtime_(runtime),
      ref_(WorkspaceRef(tenant, workspace.id)),
      rev_(workspace.rev),
      is_wanted_(workspace.idle_stop_ms > 0),
      written_ms_(runtime.clock.MonotonicMs() - kPeriodMs) {}

a4c::Result<void> Presence::Begin(const a4c::Call& call) {
  return is_wanted_ ? Write(call, true) : a4c::Result<void>();
}

void Presence::Keep() {
  if (!is_wanted_ || runtime_.clock.MonotonicMs() - written_ms_ < kPeriodMs) return;
  (void)Write(a4c::Call::Within(runtime_.clock, kWriteTimeoutMs), false);
}

a4c::Result<void> Presence::Write(const a4c::Call& call, bool is_first) {
  written_ms_ = runtime_.clock.MonotonicMs();
  a4c::Commit commit{
      .also = {a4c::Put{.ref = ref_, .quiet = {{kSessionAt, runtime_.clock.NowMs()}}}}};
  if (is_first) commit.also.emplace_back(a4c::Check{.ref = ref_, .rev = rev_});
  A4C_TRY(const a4c::Committed done, database_.Write(call, commit));
  if (done.outcome == a4c::Committed::Outcome::kApplied) return {};
  return a4c::Error(a4c::Code::kConflict, "the workspace has changed just now", "try again");
}

}  // namespace a4cd
