// workspace.snapshot: the workspace stands still while what it keeps is copied into a unit of the
// snapshot's own, on the same server or the one that was asked for.
#include <optional>
#include <string>
#include <utility>

#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/volume_copy.h"
#include "apps/a4cd/executors/workspace_unit.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

class Snapshooting {
 public:
  Snapshooting(JobRun& run, JobLog& log) : run_(run), log_(log) {}

  Result<Outcome> Run() {
    A4C_CHECK(VolumesOf(run_));
    if (run_.workspace()->host.empty()) {
      return Outcome::Failed(reason::kError, "the workspace is on no server: it keeps nothing yet");
    }
    if (!run_.workspace()->restoring.empty()) {
      return Outcome::Failed(reason::kError, "the workspace is half restored itself");
    }
    A4C_TRY(const bool is_wanted, Read());
    if (!is_wanted) return Deleted();
    if (snapshot_.state == "ready") return Ended();
    A4C_TRY(const std::optional<Outcome> not_placed, PlaceIt());
    if (not_placed) return *not_placed;
    const Result<int64_t> bytes = Copy();
    if (!bytes) {
      Outcome outcome = FailedAndBroughtBack(run_, log_, bytes.error());
      if (outcome.what == Outcome::What::kGone) return outcome;
      const Result<bool> is_still_wanted = Read();
      if (is_still_wanted && !*is_still_wanted) return NotWanted();
      outcome.also = [this](Draft& draft) { return MarkFailed(draft); };
      return outcome;
    }
    A4C_TRY(const bool is_ready, Commit(*bytes));
    if (!is_ready) return run_.gone() ? Outcome::Gone() : Deleted();
    return Ended();
  }

 private:
  // False: nobody wants it any more.
  Result<bool> Read() {
    const Result<Snapshot> read =
        ReadSnapshot(run_.context().StoreCall(), run_.context().database, run_.tenant(),
                     run_.job().payload["snapshot"].Text());
    if (!read && read.error().code() == Code::kNotFound) return false;
    if (!read) return read.error();
    snapshot_ = *read;
    return snapshot_.state == "creating" || snapshot_.state == "ready";
  }

  Outcome Deleted() {
    const Result<std::string> back = BringBack(run_, log_);
    if (!back) log_.Note("it could not be started again: " + back.error().ToString() + "\n");
    return NotWanted();
  }

  static Outcome NotWanted() {
    return Outcome{.what = Outcome::What::kCanceled,
                   .reason = std::string(reason::kSubjectGone),
                   .message = "its snapshot was deleted"};
  }

  // Nothing, once it has a server.
  Result<std::optional<Outcome>> PlaceIt() {
    if (!snapshot_.host.empty()) return std::optional<Outcome>();
    Reservations& reservations = run_.context().reservations;
    // What it is made of may have grown since it was asked for.
    snapshot_.disk_bytes = run_.workspace()->disk_bytes;
    const std::string host =
        snapshot_.wanted_host.empty() ? run_.workspace()->host : snapshot_.wanted_host;
    const Amounts amounts = reservations.WithDefaults({snapshot_.disk_bytes});
    const PlacementRequest request{.amounts = {amounts.disk_bytes}, .server = host};
    Snapshot placed = snapshot_;
    A4C_TRY(const Reserved reserved,
            reservations.Reserve(run_.context().StoreCall(), run_.tenant(), snapshot_.id, request,
                                 [&](const Decision& decision) {
                                   placed.host = decision.server;
                                   a4c::Commit commit = run_.CommitOf(run_.NewDraft());
                                   commit.also.emplace_back(SnapshotPut(run_.tenant(), placed));
                                   return commit;
                                 }));
    switch (reserved.outcome) {
      case Reserved::Outcome::kPlaced:
        snapshot_ = std::move(placed);
        ++snapshot_.rev;
        return std::optional<Outcome>();
      case Reserved::Outcome::kNoCapacity:
        return std::optional(WaitForRoom(
            run_, reserved.placement, "no room for the snapshot: " + reserved.placement.Summary()));
      case Reserved::Outcome::kConflict:
      case Reserved::Outcome::kOvertaken:
        break;
    }
    return Error(Code::kConflict, "the snapshot's server changed while it was placed there");
  }

  Result<int64_t> Copy() {
    A4C_CHECK(run_.context().enrolments.Know(run_.context().StoreCall(), snapshot_.host));
    A4C_TRY(const bool is_ours, StandStill(run_));
    if (!is_ours) return Error(Code::kCanceled, "the workspace is gone");
    return CopyIntoNew(run_, log_, {run_.workspace()->host, UnitName(run_.workspace()->id)},
                       SnapshotUnitOf(run_, snapshot_));
  }

  // False: the job or its snapshot has gone.
  Result<bool> Commit(int64_t bytes) {
    bool is_wanted = true;
    A4C_TRY(const bool is_ours, run_.Commit([&](Draft& draft) -> Result<void> {
      A4C_TRY(is_wanted, Read());
      if (!is_wanted) return {};
      Snapshot ready = snapshot_;
      ready.state = "ready";
      ready.message.clear();
      ready.bytes = bytes;
      ready.ready_at = ready.updated_at = run_.NowMs();
      ready.expires_at = ready.ttl_ms == 0 ? 0 : ready.ready_at + ready.ttl_ms;
      draft.also.emplace_back(SnapshotPut(run_.tenant(), ready));
      return {};
    }));
    return is_ours && is_wanted;
  }

  // If it is not tried again. A loop removes what is there of it, and gives its room back.
  Result<void> MarkFailed(Draft& draft) {
    if (draft.job.state != JobState::kFailed) return {};
    A4C_TRY(const bool is_wanted, Read());
    if (!is_wanted || snapshot_.state == "ready") return {};
    Snapshot failed = snapshot_;
    failed.state = "failed";
    failed.message = draft.job.message;
    failed.updated_at = failed.expires_at = run_.NowMs();
    draft.also.emplace_back(SnapshotPut(run_.tenant(), failed));
    return {};
  }

  // It is there; the workspace has to go on.
  Result<Outcome> Ended() {
    A4C_TRY(const std::string actual, BringBack(run_, log_));
    A4C_TRY(const bool is_there, Read());
    if (!is_there) return Deleted();
    Outcome outcome = Outcome::Succeeded(Json::Object{
        {"snapshot", snapshot_.id}, {"host", snapshot_.host}, {"bytes", snapshot_.bytes}});
    outcome.also = [actual, now_ms = run_.NowMs()](Draft& draft) {
      if (draft.workspace && draft.workspace->actual != actual) {
        draft.workspace->actual = actual;
        draft.workspace->updated_at = now_ms;
      }
      return Result<void>();
    };
    return outcome;
  }

  JobRun& run_;
  JobLog& log_;
  Snapshot snapshot_;
};

}  // namespace

Result<Outcome> SnapshotWorkspace(JobRun& run, JobLog& log) {
  const auto work = std::make_shared<Snapshooting>(run, log);
  Result<Outcome> outcome = work->Run();
  // What ends the attempt may ask it again.
  if (outcome && outcome->also) {
    outcome->also = [work, also = std::move(outcome->also)](Draft& draft) { return also(draft); };
  }
  return outcome;
}

}  // namespace a4cd
