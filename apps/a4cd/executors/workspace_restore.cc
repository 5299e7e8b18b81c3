// workspace.restore: what a snapshot has kept replaces what the workspace keeps, on its own server,
// wherever the snapshot is.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/volume_copy.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::Result;

constexpr const char* kAsItWas = "; the workspace is as it was";

Outcome Refused(std::string why) {
  return Outcome::Failed(reason::kError, std::move(why) + kAsItWas);
}

// Nothing, if the workspace can be made of it. Its server is asked: what is taken away cannot be
// brought back.
Result<std::optional<Outcome>> WhyNot(JobRun& run, const Snapshot& snapshot) {
  if (run.workspace()->host.empty()) {
    return std::optional(Refused("the workspace is on no server: start it first"));
  }
  if (snapshot.state != "ready") {
    return std::optional(Refused("the snapshot is " + snapshot.state));
  }
  const int64_t limit = run.workspace()->disk_bytes;
  if (limit > 0 && snapshot.bytes > limit) {
    return std::optional(Refused("the snapshot has " + std::to_string(snapshot.bytes) +
                                 " bytes, and the workspace's disk is " + std::to_string(limit)));
  }
  A4C_TRY(const std::vector<a4c::UnitStatus> units,
          run.context().hosts.List(run.HostCall(), snapshot.host));
  const bool is_there = std::ranges::find(units, SnapshotUnitName(snapshot.id),
                                          &a4c::UnitStatus::name) != units.end();
  if (is_there) return std::optional<Outcome>();
  return std::optional(Refused("the snapshot is gone from server " + snapshot.host));
}

// What has to be in the commit with which a restore begins. Written also if the snapshot names this
// job already: a deletion that was decided while the job had failed, before somebody retried it,
// then finds another rev.
Result<void> Hold(JobRun& run, const std::string& id, Draft& draft) {
  WorkContext& context = run.context();
  A4C_TRY(Snapshot held, ReadSnapshot(context.StoreCall(), context.database, run.tenant(), id));
  if (held.state != "ready") {
    return a4c::Error(a4c::Code::kNotFound, "the snapshot is " + held.state + kAsItWas);
  }
  A4C_TRY(held.restores,
          UnfinishedOf(context.StoreCall(), context.database, run.tenant(), held.restores));
  std::erase(held.restores, run.job().id);
  held.restores.push_back(run.job().id);
  held.updated_at = run.NowMs();
  draft.also.emplace_back(SnapshotPut(run.tenant(), held));
  return {};
}

// From here on the workspace holds what it kept no more, until it holds all of the snapshot.
Result<bool> Begin(JobRun& run, const Snapshot& snapshot) {
  return run.Commit([&](Draft& draft) -> Result<void> {
    if (!draft.workspace) return {};
    A4C_CHECK(Hold(run, snapshot.id, draft));
    draft.workspace->restoring = snapshot.id;
    draft.workspace->anew = false;  // its unit is made anew by the copy
    draft.workspace->actual = "pending";
    draft.workspace->message = "being restored from snapshot " + snapshot.id;
    draft.workspace->updated_at = run.NowMs();
    return {};
  });
}

Outcome Broken(const a4c::Error& error, const std::string& snapshot) {
  Outcome outcome = OutcomeOfCopy(error);
  outcome.also = [snapshot](Draft& draft) {
    if (draft.workspace && draft.job.state == JobState::kFailed) {
      draft.workspace->actual = "failed";
      draft.workspace->message =
          "half restored from snapshot " + snapshot + ", restore it again: " + draft.job.message;
    }
    return Result<void>();
  };
  return outcome;
}

Outcome Restored(JobRun& run, const Snapshot& snapshot, int64_t bytes, const std::string& actual) {
  Outcome outcome = Outcome::Succeeded(
      Json::Object{{"snapshot", snapshot.id}, {"host", run.workspace()->host}, {"bytes", bytes}});
  outcome.also = [actual, now_ms = run.NowMs()](Draft& draft) {
    if (draft.workspace) {
      draft.workspace->restoring.clear();
      draft.workspace->actual = actual;
      draft.workspace->message.clear();
      draft.workspace->updated_at = now_ms;
    }
    return Result<void>();
  };
  return outcome;
}

}  // namespace

Result<Outcome> RestoreWorkspace(JobRun& run, JobLog& log) {
  A4C_CHECK(VolumesOf(run));
  const Result<Snapshot> found = ReadSnapshot(run.context().StoreCall(), run.context().database,
                                              run.tenant(), run.job().payload["snapshot"].Text());
  if (!found && found.error().code() == a4c::Code::kNotFound) {
    return Refused(found.error().message());
  }
  A4C_TRY(const Snapshot snapshot, found);
  A4C_CHECK(run.context().enrolments.Know(run.context().StoreCall(), snapshot.host));
  A4C_TRY(const std::optional<Outcome> refused, WhyNot(run, snapshot));
  if (refused) return *refused;
  // Also the server that only gives: it must know us before anything is taken away here.
  A4C_CHECK(run.context().tokens.Introduce(run.HostCall(), snapshot.host));
  A4C_TRY(const a4c::Unit unit,
          UnitWithSecrets(run, run.workspace()->host, a4c::UnitWanted::kStopped));
  A4C_TRY(const bool is_ours, Begin(run, snapshot));
  if (!is_ours || !run.workspace()) return Outcome::Gone();
  const Result<int64_t> bytes =
      CopyIntoNew(run, log, {snapshot.host, SnapshotUnitName(snapshot.id)}, unit);
  if (!bytes) {
    log.Note(bytes.error().ToString() + "\n");
    return Broken(bytes.error(), snapshot.id);
  }
  const Result<std::string> actual = BringBack(run, log);
  if (!actual) return Broken(actual.error(), snapshot.id);
  return Restored(run, snapshot, *bytes, *actual);
}

}  // namespace a4cd
