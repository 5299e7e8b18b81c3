// snapshot.delete
#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/volume_copy.h"
#include "apps/a4cd/executors/workspace_unit.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Json;
using a4c::Result;

Result<void> RemoveFrom(JobRun& run, const Snapshot& snapshot) {
  WorkContext& context = run.context();
  A4C_CHECK(context.enrolments.Know(context.StoreCall(), snapshot.host));
  return context.tokens.Introduced(run.HostCall(), snapshot.host, [&] {
    return context.hosts.Remove(run.HostCall(), snapshot.host, SnapshotUnitName(snapshot.id),
                                {kSnapshotEndEpoch + run.lease().epoch, run.claim()});
  });
}

}  // namespace

// Gives the reservation back only with the server's word that nothing is left.
Result<Outcome> DeleteSnapshotUnit(JobRun& run, JobLog& log) {
  Json result(Json::Object{{"state", "deleted"}});
  const std::string id = run.job().payload["snapshot"].Text();
  const Result<Snapshot> snapshot =
      ReadSnapshot(run.context().StoreCall(), run.context().database, run.tenant(), id);
  if (!snapshot && snapshot.error().code() == Code::kNotFound) return Outcome::Succeeded(result);
  if (!snapshot) return snapshot.error();
  if (!snapshot->host.empty()) {
    const Result<void> removed = RemoveFrom(run, *snapshot);
    if (!removed) {
      if (const auto waits = WaitForRemoval(run, snapshot->host, removed.error())) return *waits;
      return removed.error();
    }
    log.Note("unit " + SnapshotUnitName(id) + " was removed from " + snapshot->host + "\n");
  }
  Outcome outcome = Outcome::Succeeded(std::move(result));
  outcome.also = [&run, host = snapshot->host, id](Draft& draft) -> Result<void> {
    const a4c::Call call = run.context().StoreCall();
    A4C_TRY(Snapshot gone, ReadSnapshot(call, run.context().database, run.tenant(), id));
    if (gone.host != host) {
      return a4c::Error(Code::kConflict, "the snapshot was placed while it was deleted");
    }
    gone.state = "deleted";
    gone.updated_at = gone.deleted_at = draft.job.updated_at;
    gone.expires_at = 0;
    draft.also.emplace_back(SnapshotPut(run.tenant(), gone));
    if (host.empty()) return {};
    A4C_TRY(const std::vector<a4c::Op> released,
            run.context().reservations.ReleaseOps(call, host, id));
    draft.also.insert(draft.also.end(), released.begin(), released.end());
    return {};
  };
  return outcome;
}

}  // namespace a4cd
