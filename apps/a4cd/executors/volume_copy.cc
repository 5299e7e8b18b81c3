#include "apps/a4cd/executors/volume_copy.h"

#include <utility>

#include "apps/a4cd/executors/image_send.h"
#include "apps/a4cd/executors/workspace_unit.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Result;

// An image that the server lacks, and its provider cannot get, is sent there.
Result<void> MakeAnew(JobRun& run, JobLog& log, const a4c::Unit& unit) {
  WorkContext& context = run.context();
  const auto make = [&] { return context.hosts.Ensure(run.HostCall(), unit); };
  A4C_CHECK(context.tokens.Introduced(run.HostCall(), unit.host, [&] {
    return context.hosts.Remove(run.HostCall(), unit.host, unit.name, {unit.epoch, unit.claim});
  }));
  Result<a4c::UnitStatus> made = context.tokens.Introduced(run.HostCall(), unit.host, make);
  if (!made && made.error().code() == Code::kNotFound && !unit.spec.image.empty()) {
    A4C_TRY(const bool is_sent, SendImage(run, log, unit.spec.image, unit.host));
    if (is_sent) made = context.tokens.Introduced(run.HostCall(), unit.host, make);
  }
  if (!made) return made.error();
  return {};
}

// Only of one that is to run.
Result<bool> SetPausedFor(JobRun& run, const std::string& job) {
  return run.Commit([&](Draft& draft) -> Result<void> {
    if (!draft.workspace || (draft.workspace->desired != "running" && !job.empty())) return {};
    draft.workspace->paused_for = job;
    return {};
  });
}

}  // namespace

Result<a4c::HostVolumes*> VolumesOf(JobRun& run) {
  auto* volumes = run.context().hosts.As<a4c::HostVolumes>();
  if (volumes != nullptr) return volumes;
  return Error(Code::kUnsupported, "the host provider cannot carry what workspaces keep");
}

a4c::Unit SnapshotUnitOf(const JobRun& run, const Snapshot& snapshot) {
  a4c::Unit unit = UnitOf(run, snapshot.host, a4c::UnitWanted::kStopped);
  unit.name = SnapshotUnitName(snapshot.id);
  unit.labels = {{kSnapshotLabel, snapshot.id}, {kTenantLabel, run.tenant()}};
  return unit;
}

Result<int64_t> CopyIntoNew(JobRun& run, JobLog& log, const UnitPlace& from, a4c::Unit receiver) {
  A4C_TRY(a4c::HostVolumes * volumes, VolumesOf(run));
  receiver.wanted = a4c::UnitWanted::kStopped;
  A4C_CHECK(MakeAnew(run, log, receiver));
  HostTokens& tokens = run.context().tokens;
  const auto copy = [&] {
    return volumes->Copy(run.HostCall(), {.from_host = from.host,
                                          .from_unit = from.unit,
                                          .to_host = receiver.host,
                                          .to_unit = receiver.name,
                                          .fence = {receiver.epoch, receiver.claim}});
  };
  run.ShowProgress("copying what " + from.unit + " keeps, from " + from.host + " to " +
                   receiver.host);
  // Either server may deny it.
  A4C_TRY(const int64_t bytes, tokens.Introduced(run.HostCall(), receiver.host, [&] {
    return tokens.Introduced(run.HostCall(), from.host, copy);
  }));
  log.Note("copied " + std::to_string(bytes) + " bytes from " + from.unit + " on " + from.host +
           " to " + receiver.name + " on " + receiver.host + "\n");
  return bytes;
}

Result<bool> StandStill(JobRun& run) {
  A4C_TRY(const bool is_ours, SetPausedFor(run, run.job().id));
  if (!is_ours || !run.workspace()) return false;
  A4C_CHECK(EnsureUnit(run, a4c::UnitWanted::kStopped));
  return true;
}

Result<std::string> BringBack(JobRun& run, JobLog& log) {
  if (run.workspace()->desired != "running") return std::string("stopped");
  A4C_TRY(const a4c::UnitStatus unit, EnsureUnit(run, a4c::UnitWanted::kRunning));
  const UnitView view = ViewOf(unit);
  // One that is gone meanwhile ends with the next thing it writes.
  if (!run.workspace()->paused_for.empty()) A4C_CHECK(SetPausedFor(run, ""));
  log.Note("unit " + unit.name + " on " + unit.host + ": " + view.actual + "\n");
  return view.actual;
}

// What a full server or a full disk lacks no retry brings.
Outcome OutcomeOfCopy(const Error& error) {
  if (error.code() != Code::kExhausted) return OutcomeOf(error);
  const std::string hint =
      error.hint().empty() ? "free space on the server, or choose another one" : error.hint();
  return Outcome::Failed(reason::kNoCapacity, error.message() + " (" + hint + "; then try again)");
}

Outcome FailedAndBroughtBack(JobRun& run, JobLog& log, const Error& error) {
  log.Note(error.ToString() + "\n");
  if (error.unknown_outcome()) {
    const Result<bool> raised = run.RaiseEpoch();
    if (!raised) log.Note("its epoch could not be raised: " + raised.error().ToString() + "\n");
    // Whoever claims the job once its lease has ended has a higher one.
    if (!raised || !*raised) return Outcome::Gone();
  }
  const Result<std::string> back = BringBack(run, log);
  if (!back) log.Note("it could not be started again: " + back.error().ToString() + "\n");
  return OutcomeOfCopy(error);
}

}  // namespace a4cd
