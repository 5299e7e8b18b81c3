#include "apps/a4cd/api/audit.h"

#include <utility>

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/job.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

namespace {

constexpr size_t kPathBytesMax = 500;

Json RowOf(const ApiContext& api, const Request& request, const AuditEntry& entry) {
  Json row(Json::Object{{"at", api.database.NowMs()}});
  row.AppendMember("key_id", request.principal.key_id);
  row.AppendMember("remote", request.remote);
  row.AppendMember("operation", request.operation);
  row.AppendMember("path", request.path.substr(0, kPathBytesMax));
  row.AppendMember("outcome", entry.outcome);
  if (!entry.ref.kind.empty()) {
    row.AppendMember("record_kind", entry.ref.kind);
    row.AppendMember("record_id", entry.ref.key.id);
  }
  if (entry.rev > 0) row.AppendMember("record_rev", entry.rev);
  row.AppendMember("request_id", request.request_id);
  return row;
}

}  // namespace

void AddAudit(ApiContext& api, const Request& request, const AuditEntry& entry,
              a4c::Commit& commit) {
  if (!api.settings.audit) return;
  commit.also.emplace_back(a4c::Put{.ref = {"audit", {request.principal.tenant, api.ids.Next()}},
                                    .body = RowOf(api, request, entry).ToString(),
                                    .expect = a4c::Expect::Absent()});
}

Result<void> NoteAudit(ApiContext& api, const Request& request, const AuditEntry& entry) {
  if (!api.settings.audit) return {};
  a4c::Commit commit;
  AddAudit(api, request, entry, commit);
  A4C_TRY(const a4c::Committed committed, api.database.Write(api.CallFor(request), commit));
  (void)committed;  // a row of a new id: there is nothing that it could conflict with
  return {};
}

Response RefuseNoted(ApiContext& api, const Request& request, const Problem& problem) {
  const Result<void> noted =
      NoteAudit(api, request, {.outcome = std::string(problem.type), .ref = {}});
  if (!noted) {
    api.runtime.log.Write(
        a4c::LogLevel::kWarning, "api", "a refusal is not in the audit log",
        {{"request_id", request.request_id}, {"error", noted.error().ToString()}});
  }
  return ProblemResponse(problem);
}

Result<Json> AuditView(const a4c::Record& record) {
  A4C_TRY(Json row, a4c::ParseJson(record.body));
  row.Set("at", TimeText(row["at"].Int()));
  Json view(Json::Object{{"id", record.ref.key.id}});
  for (const auto& [name, value] : row.Members()) view.AppendMember(name, value);
  return view;
}

}  // namespace a4cd
