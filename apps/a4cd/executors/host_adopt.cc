// host.adopt: units that run on a server and that no record names, as after the store was lost or
// restored, become workspaces again. Only those that are named, only of the job's own tenant, and
// nothing is done to them: what is written is a record, a reservation, and the epoch that the
// server knows.
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "a4c/host_description.h"
#include "a4c/leases.h"
#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

Error Cannot(std::string why, std::string hint = "") {
  return Error(Code::kConflict, std::move(why), std::move(hint));
}

class Adoption {
 public:
  Adoption(JobRun& run, JobLog& log)
      : run_(run), log_(log), host_(run.job().payload["host"].Text()) {}

  Result<Outcome> Run() {
    const Json wanted = run_.job().payload["units"];  // the job may be read anew meanwhile
    return wanted.Members().empty() ? List() : AdoptAll(wanted);
  }

 private:
  // Nothing is taken over of which nobody has spoken.
  Result<Outcome> List() {
    A4C_TRY(const std::vector<a4c::UnitStatus> units,
            run_.context().hosts.List(run_.HostCall(), host_));
    Json found(Json::Array{});
    for (const a4c::UnitStatus& unit : units) {
      if (LabelOf(unit.labels, kTenantLabel) != run_.tenant()) continue;
      const Result<std::string> id = IdOf(unit.name, unit.labels);
      if (!id) continue;
      A4C_TRY(const std::optional<a4c::Record> record, Find(*id));
      if (record) continue;
      found.Append(Json::Object{{"unit", unit.name}, {"actual", ViewOf(unit).actual}});
    }
    log_.Note(std::to_string(found.Items().size()) + " units without a record on " + host_ + "\n");
    return Outcome::Succeeded(Json::Object{{"host", host_}, {"unclaimed", std::move(found)}});
  }

  // Each for itself. A server that is out of reach ends the attempt; it is begun anew, and what was
  // adopted by then is left out.
  Result<Outcome> AdoptAll(const Json& wanted) {
    Json adopted(Json::Array{});
    std::string refused;
    for (const auto& [unit, name] : wanted.Members()) {
      run_.ShowProgress("at " + unit + ", " + std::to_string(adopted.Items().size()) + " of " +
                        std::to_string(wanted.Members().size()) + " adopted");
      const Result<std::string> id = Adopt(unit, name.Text());
      if (!id && (id.error().retryable() || id.error().unknown_outcome())) return id.error();
      if (run_.gone()) return Outcome::Gone();
      log_.Note(unit + ": " + (id ? "is workspace " + *id : id.error().ToString()) + "\n");
      if (id) adopted.Append(Json::Object{{"unit", unit}, {"workspace", *id}});
      if (!id) refused += (refused.empty() ? "" : "; ") + unit + ": " + id.error().message();
    }
    Json result(Json::Object{{"host", host_}, {"adopted", std::move(adopted)}});
    if (refused.empty()) return Outcome::Succeeded(std::move(result));
    Outcome outcome = Outcome::Failed(reason::kError, "not adopted: " + refused);
    outcome.result = std::move(result);
    return outcome;
  }

  // The workspace's id that a unit's labels name.
  Result<std::string> IdOf(const std::string& unit,
                           const std::map<std::string, std::string>& labels) const {
    std::string id = LabelOf(labels, kWorkspaceLabel);
    if (LabelOf(labels, kTenantLabel) != run_.tenant()) {
      return Error(Code::kNotFound, "the tenant has no unit " + unit + " on " + host_);
    }
    if (unit == UnitName(id) && a4c::CheckKey({run_.tenant(), id})) return id;
    return Cannot("its labels name no workspace");
  }

  Result<std::optional<a4c::Record>> Find(const std::string& id) {
    const a4c::RecordRef ref = WorkspaceRef(run_.tenant(), id);
    A4C_TRY(a4c::GetAnswer answer,
            run_.context().database.Get(run_.context().StoreCall(), std::span(&ref, 1)));
    return std::move(answer.records.at(0));
  }

  // True: an attempt before has adopted it.
  Result<bool> IsDone(const std::string& id, const std::string& as) {
    A4C_TRY(const std::optional<a4c::Record> record, Find(id));
    if (!record) return false;
    if (record->tombstone) return Cannot("its workspace was deleted, and it goes by itself");
    A4C_TRY(const Workspace workspace, WorkspaceOf(*record));
    if (workspace.host == host_ && workspace.name == as) return true;
    return Cannot("it is workspace " + workspace.name + " already, " +
                  (workspace.host.empty() ? "on no server" : "on server " + workspace.host));
  }

  Result<std::string> Adopt(const std::string& name, const std::string& as) {
    auto* description = run_.context().hosts.As<a4c::HostDescription>();
    if (description == nullptr) {
      return Error(Code::kUnsupported, "the host provider does not tell what a unit was made with");
    }
    A4C_TRY(const a4c::Unit unit, description->Describe(run_.HostCall(), host_, name));
    A4C_TRY(const std::string id, IdOf(name, unit.labels));
    A4C_TRY(const bool is_done, IsDone(id, as));
    if (is_done) return id;
    const Workspace workspace = WorkspaceFor(unit, id, as);
    Reservations& reservations = run_.context().reservations;
    PlacementRequest request = PlacementOf(workspace, reservations);
    request.server = host_;
    A4C_TRY(const Reserved reserved,
            reservations.Reserve(run_.context().StoreCall(), run_.tenant(), id, request,
                                 [&](const Decision&) { return CommitOf(workspace, unit.epoch); }));
    switch (reserved.outcome) {
      case Reserved::Outcome::kPlaced:
        return id;
      case Reserved::Outcome::kNoCapacity:
        return Cannot("its room cannot be reserved: " + reserved.placement.Summary());
      case Reserved::Outcome::kConflict:
        A4C_CHECK(run_.Recover(reserved.failures));
        return Cannot("a workspace is called " + workspace.name +
                          " already, or it was adopted by "
                          "another job meanwhile",
                      "give it another name: " + name + "=NAME");
      case Reserved::Outcome::kOvertaken:
        break;
    }
    return Error(Code::kUnavailable, "others keep taking room on " + host_);
  }

  Workspace WorkspaceFor(const a4c::Unit& unit, const std::string& id,
                         const std::string& name) const {
    Workspace workspace;
    workspace.id = id;
    workspace.name = name;
    workspace.image = unit.spec.image;
    workspace.command = unit.spec.command;
    workspace.env = unit.spec.env;
    const auto secrets = unit.labels.find(kSecretsLabel);
    if (secrets != unit.labels.end()) workspace.secrets = SecretsOf(secrets->second);
    for (const auto& [variable, secret] : workspace.secrets) workspace.env.erase(variable);
    workspace.memory_bytes = unit.spec.memory_bytes;
    workspace.cpu_millis = unit.spec.cpu_millis;
    workspace.disk_bytes = unit.spec.disk_bytes;
    workspace.pids = unit.spec.pids;
    workspace.desired = unit.wanted == a4c::UnitWanted::kRunning ? "running" : "stopped";
    workspace.actual = workspace.desired;
    workspace.host = host_;
    workspace.message = "adopted from server " + host_;
    workspace.created_at = workspace.updated_at = run_.NowMs();
    workspace.created_by = run_.job().created_by;
    return workspace;
  }

  // The next holder of its lease has a higher epoch than the server knows.
  a4c::Commit CommitOf(const Workspace& workspace, int64_t epoch) const {
    a4c::Commit commit = run_.CommitOf(run_.NewDraft());
    commit.changes.push_back({.ref = WorkspaceRef(run_.tenant(), workspace.id),
                              .body = WorkspaceBody(workspace),
                              .expect = a4c::Expect::Absent()});
    commit.also.emplace_back(
        a4c::Put{.ref = a4c::LeaseRef("job", run_.tenant(), WorkspaceSubject(workspace.id)),
                 .body = "{}",
                 .quiet = {{"epoch", epoch}}});
    return commit;
  }

  JobRun& run_;
  JobLog& log_;
  const std::string host_;
};

}  // namespace

Result<Outcome> AdoptUnits(JobRun& run, JobLog& log) {
  return Adoption(run, log).Run();
}

}  // namespace a4cd
