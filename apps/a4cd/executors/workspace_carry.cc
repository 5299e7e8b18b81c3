// workspace.move with its volume: copied to another server, started there, and only then removed
// from the one that it leaves.
//
//   host = from             also_on = []      as it was; stopped there for the copy
//   host = from             also_on = [to]    room is reserved on both; a copy may have begun
//   host = to               also_on = [from]  the copy is whole: it runs there from now on
//   host = to               also_on = []      the server that it left has confirmed the removal
//
// An attempt that ends in between is gone on with, or begun anew, by what the record says.
#include <memory>
#include <string>
#include <utility>

#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/other_servers.h"
#include "apps/a4cd/executors/volume_copy.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

class Carrying {
 public:
  Carrying(JobRun& run, JobLog& log)
      : run_(run), log_(log), from_(run.job().payload["from"].Text()) {}

  Result<Outcome> Run() {
    A4C_CHECK(VolumesOf(run_));
    if (!run_.workspace()->restoring.empty()) {
      return Outcome::Failed(reason::kError, "it is half restored: restore it again first");
    }
    if (run_.workspace()->host != from_) return Arrive();
    A4C_TRY(std::optional<Outcome> waits, LeaveOtherServers(run_, log_));
    if (waits) return *waits;
    if (from_.empty()) return Done("stopped");
    A4C_TRY(waits, Reserve());
    if (waits) return *waits;
    const Result<void> copied = Copy();
    if (!copied) return GiveUp(copied.error());
    A4C_TRY(const bool is_ours, Switch());
    if (!is_ours || !run_.workspace()) return Outcome::Gone();
    return Arrive();
  }

 private:
  Result<std::optional<Outcome>> Reserve() {
    Reservations& reservations = run_.context().reservations;
    PlacementRequest request = PlacementOf(*run_.workspace(), reservations);
    request.excluded = from_;
    Draft draft;
    A4C_TRY(const Reserved reserved,
            reservations.Reserve(run_.context().StoreCall(), run_.tenant(), run_.workspace()->id,
                                 request, [&](const Decision& decision) {
                                   draft = run_.NewDraft();
                                   draft.job.placement = decision.figures;
                                   draft.job.placement.Set("server", decision.server);
                                   draft.job.updated_at = run_.NowMs();
                                   draft.workspace->also_on = {decision.server};
                                   draft.workspace->updated_at = draft.job.updated_at;
                                   return run_.CommitOf(draft);
                                 }));
    if (reserved.outcome == Reserved::Outcome::kPlaced) {
      run_.Adopt(draft);
      to_ = reserved.decision.server;
      return std::optional<Outcome>();
    }
    if (reserved.outcome == Reserved::Outcome::kNoCapacity) {
      return std::optional(
          WaitForRoom(run_, reserved.placement,
                      "no other server has room for it now: " + reserved.placement.Summary()));
    }
    return Error(Code::kConflict, "the workspace or its next server changed meanwhile");
  }

  Result<void> Copy() {
    A4C_CHECK(run_.context().enrolments.Know(run_.context().StoreCall(), to_));
    A4C_TRY(const bool is_ours, StandStill(run_));
    if (!is_ours) return Error(Code::kCanceled, "the workspace is gone");
    A4C_TRY(const a4c::Unit unit, UnitWithSecrets(run_, to_, a4c::UnitWanted::kStopped));
    A4C_CHECK(CopyIntoNew(run_, log_, {from_, UnitName(run_.workspace()->id)}, unit));
    return {};
  }

  // It goes on where it was; what there is of it elsewhere goes if that is possible now.
  Outcome GiveUp(const Error& error) {
    Outcome outcome = FailedAndBroughtBack(run_, log_, error);
    if (outcome.what == Outcome::What::kGone || !run_.workspace()) return outcome;
    const Result<std::optional<Outcome>> left = LeaveOtherServers(run_, log_);
    if (!left) log_.Note(left.error().ToString() + "\n");
    // A drain does not try again at once.
    outcome.also = [ref = WorkspaceRef(run_.tenant(), run_.workspace()->id),
                    now_ms = run_.NowMs()](Draft& draft) {
      if (draft.job.state == JobState::kFailed) {
        draft.also.emplace_back(a4c::Put{.ref = ref, .quiet = {{kMoveFailedAt, now_ms}}});
      }
      return Result<void>();
    };
    return outcome;
  }

  Result<bool> Switch() {
    return run_.Commit([&](Draft& draft) -> Result<void> {
      if (!draft.workspace || draft.workspace->host != from_) {
        return Error(Code::kConflict, "the workspace changed while it was moved");
      }
      draft.workspace->host = to_;
      draft.workspace->also_on = {from_};
      draft.workspace->actual = "pending";
      draft.workspace->message = "it has moved from server " + from_;
      draft.workspace->updated_at = run_.NowMs();
      draft.job.host = to_;
      return {};
    });
  }

  // Nothing is removed from the server that it leaves before it runs where it is now.
  Result<Outcome> Arrive() {
    if (run_.workspace()->host.empty()) return Done("stopped");
    const Result<std::string> actual = BringBack(run_, log_);
    if (!actual) return Stranded(OutcomeOf(actual.error()));
    if (*actual == "failed") {
      return Stranded(Outcome::Failed(reason::kError, "it does not run on server " +
                                                          run_.workspace()->host +
                                                          "; what it kept is still on " + from_));
    }
    A4C_TRY(const std::optional<Outcome> waits, LeaveOtherServers(run_, log_));
    if (waits) return *waits;
    return Done(*actual);
  }

  static Outcome Stranded(Outcome outcome) {
    outcome.also = [](Draft& draft) {
      if (draft.workspace && draft.job.state == JobState::kFailed) {
        draft.workspace->actual = "failed";
        draft.workspace->message = draft.job.message;
      }
      return Result<void>();
    };
    return outcome;
  }

  Outcome Done(const std::string& actual) {
    Json result(Json::Object{{"state", actual}});
    if (!run_.workspace()->host.empty()) result.AppendMember("host", run_.workspace()->host);
    Outcome outcome = Outcome::Succeeded(std::move(result));
    outcome.also = [actual, now_ms = run_.NowMs()](Draft& draft) {
      if (draft.workspace) {
        draft.workspace->actual = actual;
        draft.workspace->message.clear();
        draft.workspace->updated_at = now_ms;
      }
      return Result<void>();
    };
    return outcome;
  }

  JobRun& run_;
  JobLog& log_;
  const std::string from_;
  std::string to_;
};

}  // namespace

Result<Outcome> CarryWorkspace(JobRun& run, JobLog& log) {
  return Carrying(run, log).Run();
}

}  // namespace a4cd
