// workspace.create and workspace.start.
#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/image_send.h"
#include "apps/a4cd/executors/other_servers.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/built_image.h"
#include "apps/a4cd/jobs/constraints.h"

namespace a4cd {
namespace {

using a4c::Json;
using a4c::Result;

constexpr int kPlaceTriesMax = 16;

std::string WhatHelps(const Placement& placement) {
  if (!placement.unknown_server.empty()) {
    return "it is placed once a server of that id is added; those there are: a4c host list";
  }
  if (placement.CanEverFit()) {
    return "it is placed once room is given back, a server returns or others have started";
  }
  if (placement.LacksOnlyLabels()) return "it is placed once a server is given these labels";
  return "waiting cannot help: no server could take it even if it were empty";
}

Outcome NoCapacity(JobRun& run, const Placement& placement) {
  const std::string asked = ConstraintsText(run.workspace()->constraints);
  return WaitForRoom(run, placement,
                     placement.Summary() + (asked.empty() ? "" : " (asked for: " + asked + ")") +
                         "; " + WhatHelps(placement));
}

std::string PlacedLine(const Decision& decision) {
  for (const Json& server : decision.figures["servers"].Items()) {
    if (server["id"].Text() != decision.server) continue;
    std::array<char, 32> share{};
    std::snprintf(share.data(), share.size(), "%.1f", server["score"].Number() * 100);
    return "placed on " + decision.server + ": with it, " + share.data() +
           " % of its disk are taken, the least of " +
           std::to_string(decision.figures["servers_total"].Int()) + " servers\n";
  }
  return "placed on " + decision.server + "\n";
}

// A server that was lost once, and is back, has a unit of that name which is not this one.
void BeginAnew(Workspace& workspace) {
  workspace.anew = workspace.lost_epoch != 0;
  if (workspace.lost_with.empty()) return;
  workspace.lost_with.clear();
  workspace.actual = "pending";
  workspace.message.clear();
}

// Nothing, once the workspace has a server.
Result<std::optional<Outcome>> PlaceOnce(JobRun& run, JobLog& log) {
  PlacementRequest request = PlacementOf(*run.workspace(), run.context().reservations);
  // Of one that moves: the server that it leaves may well be the least used again.
  if (run.job().type == "workspace.move") request.excluded = run.job().payload["from"].Text();
  Draft draft;
  A4C_TRY(const Reserved reserved, run.context().reservations.Reserve(
                                       run.context().StoreCall(), run.tenant(), run.workspace()->id,
                                       request, [&](const Decision& decision) {
                                         draft = run.NewDraft();
                                         draft.job.host = decision.server;
                                         draft.job.placement = decision.figures;
                                         draft.job.placement.Set("server", decision.server);
                                         draft.job.updated_at = run.NowMs();
                                         draft.workspace->host = decision.server;
                                         draft.workspace->updated_at = draft.job.updated_at;
                                         BeginAnew(*draft.workspace);
                                         return run.CommitOf(draft);
                                       }));
  switch (reserved.outcome) {
    case Reserved::Outcome::kPlaced:
      run.Adopt(draft);
      log.Note(PlacedLine(reserved.decision));
      return std::optional<Outcome>();
    case Reserved::Outcome::kNoCapacity:
      return std::optional(NoCapacity(run, reserved.placement));
    case Reserved::Outcome::kConflict: {
      A4C_TRY(const bool is_ours, run.Recover(reserved.failures));
      if (is_ours && run.workspace()) return std::optional<Outcome>();
      return std::optional(Outcome::Gone());
    }
    case Reserved::Outcome::kOvertaken:
      break;
  }
  return a4c::Error(a4c::Code::kExhausted, "others took the room of every server that was chosen");
}

Result<std::optional<Outcome>> Place(JobRun& run, JobLog& log) {
  for (int i = 0; i < kPlaceTriesMax && run.workspace()->host.empty(); ++i) {
    Result<std::optional<Outcome>> placed = PlaceOnce(run, log);
    if (!placed && placed.error().unknown_outcome()) {
      A4C_TRY(const bool is_ours, run.Read());
      if (!is_ours || !run.workspace()) return std::optional(Outcome::Gone());
      continue;
    }
    if (!placed || *placed) return placed;
  }
  if (!run.workspace()->host.empty()) return std::optional<Outcome>();
  return a4c::Error(a4c::Code::kConflict, "the workspace kept changing while it was placed");
}

// Its tenant may have built the image since the workspace was asked for. False: it has not.
Result<bool> TakeBuild(JobRun& run) {
  if (!run.workspace()->image_digest.empty()) return false;
  A4C_TRY(const std::string digest, BuiltDigest(run.context().StoreCall(), run.context().database,
                                                run.tenant(), run.workspace()->image));
  if (digest.empty()) return false;
  A4C_TRY(const bool is_ours, run.Commit([&](Draft& draft) -> Result<void> {
    if (draft.workspace) draft.workspace->image_digest = digest;
    return {};
  }));
  if (is_ours && run.workspace()) return true;
  return a4c::Error(a4c::Code::kCanceled, "the job is no longer this worker's");
}

bool LacksImage(const JobRun& run, const Result<a4c::UnitStatus>& unit) {
  const bool is_missing = !unit && unit.error().code() == a4c::Code::kNotFound;
  return is_missing && !ImageOf(*run.workspace()).empty();
}

// An image that the server lacks, and its provider cannot get, is sent there.
Result<a4c::UnitStatus> EnsureRunning(JobRun& run, JobLog& log) {
  Result<a4c::UnitStatus> unit = EnsureUnit(run, a4c::UnitWanted::kRunning);
  if (!LacksImage(run, unit)) return unit;
  A4C_TRY(const bool is_built, TakeBuild(run));
  if (is_built) unit = EnsureUnit(run, a4c::UnitWanted::kRunning);
  if (!LacksImage(run, unit)) return unit;
  A4C_TRY(const bool is_sent,
          SendImage(run, log, ImageOf(*run.workspace()), run.workspace()->host));
  return is_sent ? EnsureUnit(run, a4c::UnitWanted::kRunning) : unit;
}

}  // namespace

Result<Outcome> StartWorkspaceUnit(JobRun& run, JobLog& log) {
  if (!run.workspace()->restoring.empty()) {
    return Outcome::Failed(reason::kError, "it holds only a part of snapshot " +
                                               run.workspace()->restoring +
                                               ": restore it again first");
  }
  // Of one that was lost on its way.
  if (run.workspace()->host.empty()) {
    A4C_TRY(const std::optional<Outcome> waits, LeaveOtherServers(run, log));
    if (waits) return *waits;
  }
  A4C_TRY(const std::optional<Outcome> not_placed, Place(run, log));
  if (not_placed) return *not_placed;
  const Starts::Turn turn(run.context().reservations.starts(), run.workspace()->host);
  A4C_TRY(const a4c::UnitStatus unit, EnsureRunning(run, log));
  const UnitView view = ViewOf(unit);
  log.Note("unit " + unit.name + " on " + unit.host + ": " + view.actual +
           (view.message.empty() ? "" : ", " + view.message) + "\n");
  if (CannotRun(unit)) {
    return Outcome::Failed(reason::kError, "its command cannot be run: " + view.message);
  }
  // What a move has left behind goes only now that it runs; if that cannot be now, the reconciler
  // asks for it again.
  if (view.actual == "running") {
    const auto left = LeaveOtherServers(run, log);
    if (!left) log.Note(left.error().ToString() + "\n");
  }
  Outcome outcome = Outcome::Succeeded(
      Json::Object{{"host", unit.host}, {"unit", unit.name}, {"state", view.actual}});
  outcome.also = [view, host = unit.host, now_ms = run.NowMs()](Draft& draft) {
    if (draft.workspace) {
      draft.workspace->actual = view.actual;
      draft.workspace->message = view.message;
      draft.workspace->paused_for.clear();
      draft.workspace->updated_at = now_ms;
    }
    draft.job.host = host;
    return Result<void>();
  };
  return outcome;
}

}  // namespace a4cd
