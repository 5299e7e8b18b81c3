// workspace.update: another image, environment or limits, the same files. What is only the record's
// (ttl, labels and the like) changes without a word to its server.
//
//   updating = ""     it is made of what its record says
//   updating = <job>  room for the larger of both is reserved; its unit is of the one or the other,
//                     or there are only its files
//
// An attempt that ends in between is begun anew by the next one; should there be none, whoever
// brings up the unit next makes it of what the record says (EnsureUnit), at the latest the
// reconciler. A disk that was to grow stays grown: the record says so from the beginning.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "a4c/host_update.h"
#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/image_send.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/built_image.h"
#include "apps/a4cd/jobs/spec_change.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;
using a4c::UnitStatus;

Amounts LargerOf(const Amounts& a, const Amounts& b) {
  return {std::max(a.disk_bytes, b.disk_bytes), std::max(a.memory_bytes, b.memory_bytes),
          std::max(a.cpu_millis, b.cpu_millis)};
}

// By the contract of HostUpdate.
bool IsUntouchedAfter(const Error& error) {
  return error.retryable() || error.code() == Code::kNotFound ||
         error.code() == Code::kUnsupported || error.code() == Code::kCanceled;
}

class Updating {
 public:
  Updating(JobRun& run, JobLog& log) : run_(run), log_(log) {
    Faults checked_before;
    FieldReader fields(run.job().payload, "/payload", checked_before);
    change_ = ReadSpecChange(fields, "/payload", checked_before);
  }

  Result<Outcome> Run() {
    A4C_CHECK(change_.CheckBounds(*run_.workspace()));
    if (!change_.ChangesUnit()) return OnPaper();
    if (!run_.workspace()->restoring.empty()) {
      return Outcome::Failed(reason::kError, "it is half restored: restore it again first");
    }
    A4C_TRY(change_.image_digest, BuiltDigest(run_.context().StoreCall(), run_.context().database,
                                              run_.tenant(), change_.image));
    host_ = run_.workspace()->host;
    if (host_.empty()) return OnPaper();
    if (run_.workspace()->anew) {
      return Outcome::Failed(reason::kError, "it has not run on server " + host_ +
                                                 " yet, since the one before was lost: start it "
                                                 "first");
    }
    provider_ = run_.context().hosts.As<a4c::HostUpdate>();
    if (provider_ == nullptr) {
      return Error(Code::kUnsupported, "the host provider cannot change what a unit is made of");
    }
    was_settled_ = run_.workspace()->updating.empty();
    A4C_TRY(const std::optional<Outcome> waits, Begin());
    if (waits) return *waits;
    const Result<UnitStatus> unit = Update();
    if (!unit) return Failed(unit.error());
    if (CannotRun(*unit)) {
      return Failed(Error(Code::kInternal, "its command cannot be run: " + ViewOf(*unit).message));
    }
    return Done(*unit);
  }

 private:
  Amounts AmountsOf(const Workspace& workspace) const {
    return PlacementOf(workspace, run_.context().reservations).amounts;
  }

  // It has no server, and is made of it when it is started; or its unit stays what it is.
  Outcome OnPaper() {
    Outcome outcome = Outcome::Succeeded(Json::Object{{"state", run_.workspace()->actual}});
    outcome.also = [this, now_ms = run_.NowMs()](Draft& draft) -> Result<void> {
      if (!draft.workspace) return {};
      if (change_.ChangesUnit() && !draft.workspace->host.empty()) {
        return Error(Code::kConflict, "the workspace was placed meanwhile");
      }
      change_.To(*draft.workspace, run_.job().created_at);
      draft.workspace->updated_at = now_ms;
      return {};
    };
    return outcome;
  }

  // Room first, and the mark that says that it may be of either.
  Result<std::optional<Outcome>> Begin() {
    Reservations& reservations = run_.context().reservations;
    Draft draft = run_.NewDraft();
    Workspace wanted = *draft.workspace;
    change_.To(wanted, run_.job().created_at);
    draft.workspace->updating = run_.job().id;
    draft.workspace->disk_bytes = wanted.disk_bytes;
    draft.workspace->updated_at = run_.NowMs();
    const Amounts amounts = LargerOf(AmountsOf(*draft.workspace), AmountsOf(wanted));
    A4C_TRY(const Resized resized,
            reservations.Resize(run_.context().StoreCall(), host_, draft.workspace->id, amounts,
                                run_.CommitOf(draft)));
    switch (resized.outcome) {
      case Resized::Outcome::kApplied:
        run_.Adopt(draft);
        return std::optional<Outcome>();
      case Resized::Outcome::kNoCapacity:
        return std::optional(WaitFor(run_, reason::kNoCapacity, resized.lacks));
      case Resized::Outcome::kConflict:
        break;
    }
    A4C_TRY(const bool is_ours, run_.Recover(resized.failures));
    if (!is_ours || !run_.workspace()) return std::optional(Outcome::Gone());
    return Error(Code::kConflict, "the workspace changed while room was reserved");
  }

  a4c::UnitWanted Wanted() const {
    return run_.workspace()->desired == "running" ? a4c::UnitWanted::kRunning
                                                  : a4c::UnitWanted::kStopped;
  }

  // An image that the server lacks, and its provider cannot get, is sent there.
  Result<UnitStatus> Update() {
    Workspace wanted = *run_.workspace();
    change_.To(wanted, run_.job().created_at);
    A4C_TRY(const a4c::Unit unit, UnitWithSecretsOf(wanted, run_, host_, Wanted()));
    const auto update = [&] {
      return run_.context().tokens.Introduced(
          run_.HostCall(), host_, [&] { return provider_->Update(run_.HostCall(), unit); });
    };
    Result<UnitStatus> status = update();
    if (status || status.error().code() != Code::kNotFound || wanted.image.empty()) return status;
    A4C_TRY(const bool is_sent, SendImage(run_, log_, unit.spec.image, host_));
    return is_sent ? update() : status;
  }

  // It is as it was before, or is made so again.
  Result<Outcome> Failed(const Error& error) {
    log_.Note(error.ToString() + "\n");
    Outcome outcome = OutcomeOf(error);
    if (was_settled_ && IsUntouchedAfter(error)) {
      A4C_TRY(const bool is_ours, NoteSettled(run_));
      if (!is_ours) return Outcome::Gone();
      outcome.message += "; the workspace is as it was";
      return outcome;
    }
    // What was sent may still be on its way, and nothing tells its effect from that of a second
    // thought in the name of the same claim: the next claim, of a higher epoch, goes on.
    if (error.unknown_outcome()) {
      outcome.message += "; whether the workspace was changed is not known yet";
      return outcome;
    }
    const Result<UnitStatus> back = EnsureUnit(run_, Wanted());
    if (back) {
      log_.Note("unit " + back->name + " is made of what it was before: " + ViewOf(*back).actual +
                "\n");
      outcome.message += "; the workspace was made again as it was";
      return outcome;
    }
    log_.Note("it could not be made as it was: " + back.error().ToString() + "\n");
    outcome.message += "; it could not be made as it was yet, and its files are where they were: " +
                       back.error().message();
    outcome.also = [](Draft& draft) {
      if (draft.workspace) draft.workspace->message = draft.job.message;
      return Result<void>();
    };
    return outcome;
  }

  Outcome Done(const UnitStatus& unit) {
    const UnitView view = ViewOf(unit);
    log_.Note("unit " + unit.name + " on " + unit.host + " was made anew: " + view.actual + "\n");
    Outcome outcome = Outcome::Succeeded(
        Json::Object{{"host", unit.host}, {"unit", unit.name}, {"state", view.actual}});
    outcome.also = [this, view, now_ms = run_.NowMs()](Draft& draft) -> Result<void> {
      if (!draft.workspace) return {};
      change_.To(*draft.workspace, run_.job().created_at);
      draft.workspace->updating.clear();
      draft.workspace->actual = view.actual;
      draft.workspace->message = view.message;
      draft.workspace->updated_at = now_ms;
      A4C_TRY(draft.also, run_.context().reservations.ResizeOps(run_.context().StoreCall(), host_,
                                                                draft.workspace->id,
                                                                AmountsOf(*draft.workspace)));
      return {};
    };
    return outcome;
  }

  JobRun& run_;
  JobLog& log_;
  SpecChange change_;
  std::string host_;
  a4c::HostUpdate* provider_ = nullptr;
  bool was_settled_ = true;
};

}  // namespace

Result<Outcome> UpdateWorkspaceUnit(JobRun& run, JobLog& log) {
  // The outcome's step is asked after this has returned.
  const auto updating = std::make_shared<Updating>(run, log);
  A4C_TRY(Outcome outcome, updating->Run());
  if (outcome.also) {
    outcome.also = [updating, also = std::move(outcome.also)](Draft& draft) { return also(draft); };
  }
  return outcome;
}

}  // namespace a4cd
