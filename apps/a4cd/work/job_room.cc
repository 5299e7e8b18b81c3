#include "apps/a4cd/work/job_room.h"

#include <utility>

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::Result;

Result<std::optional<Outcome>> ReserveForJob(
    JobRun& run, const PlacementRequest& request,
    const std::function<void(Draft&, const Decision&)>& step) {
  Reservations& reservations = run.context().reservations;
  A4C_TRY(const bool is_reserved,
          reservations.Has(run.context().StoreCall(), request.server, run.job().id));
  if (is_reserved) return std::optional<Outcome>();
  Draft draft;
  A4C_TRY(const Reserved reserved,
          reservations.Reserve(
              run.context().StoreCall(), run.tenant(), run.job().id, request,
              [&](const Decision& decision) {
                draft = run.NewDraft();
                step(draft, decision);
                draft.job.updated_at = run.NowMs();
                return run.CommitOf(draft);
              },
              HolderOf::kJob));
  switch (reserved.outcome) {
    case Reserved::Outcome::kPlaced:
      run.Adopt(draft);
      return std::optional<Outcome>();
    case Reserved::Outcome::kNoCapacity:
      return std::optional(WaitForRoom(run, reserved.placement, reserved.placement.Summary()));
    case Reserved::Outcome::kConflict: {
      A4C_TRY(const bool is_ours, run.Recover(reserved.failures));
      if (!is_ours) return std::optional(Outcome::Gone());
      break;
    }
    case Reserved::Outcome::kOvertaken:
      break;
  }
  return Error(Code::kExhausted, "others took the room of the server that was chosen");
}

Result<bool> ReleaseOfJob(JobRun& run, const std::string& host) {
  return run.Commit([&](Draft& draft) -> Result<void> {
    A4C_TRY(draft.also,
            run.context().reservations.ReleaseOps(run.context().StoreCall(), host, draft.job.id));
    return {};
  });
}

}  // namespace a4cd
