// What operators see and do of the sync between store and index. It spans all tenants.
#include <algorithm>
#include <set>
#include <utility>

#include "apps/a4cd/api/audit.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "apps/a4cd/api/problem.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::DeadLetter;
using a4c::DeadLetterPage;
using a4c::Error;
using a4c::Json;
using a4c::RecordRef;
using a4c::Result;
using a4c::SyncStatus;
using a4c::SyncTask;
using a4c::SyncWork;

constexpr size_t kExamplesMax = 20;

// Jobs are what is searched.
const std::string& TheKind() {
  return JobKind().name;
}

Json RefJson(const RecordRef& ref) {
  return Json::Object{{"kind", ref.kind}, {"tenant", ref.key.scope}, {"id", ref.key.id}};
}

Json TaskJson(const SyncTask& task) {
  Json json(Json::Object{{"task", a4c::SyncWorkName(task.work)},
                         {"kind", TheKind()},
                         {"state", a4c::SyncTaskStateName(task.state)},
                         {"phase", task.phase},
                         {"done", task.done},
                         {"total", task.total},
                         {"started_at", TimeText(task.started_ms)}});
  if (task.ended_ms > 0) json.AppendMember("ended_at", TimeText(task.ended_ms));
  if (!task.message.empty()) json.AppendMember("message", task.message);
  if (task.work == SyncWork::kRebuild) json.AppendMember("generation", task.generation);
  if (task.work == SyncWork::kRepair) return json;
  json.AppendMember("mismatched_buckets", task.mismatched_buckets);
  json.AppendMember("drift", task.drift);
  Json examples(Json::Array{});
  for (const RecordRef& ref : task.examples) examples.Append(RefJson(ref));
  json.AppendMember("examples", std::move(examples));
  return json;
}

Json StatusJson(const SyncStatus& status) {
  Json json(Json::Object{{"kind", status.kind},
                         {"outbox_rows", status.outbox_rows},
                         {"outbox_rows_more", status.outbox_rows_more},
                         {"lag_ms", status.lag_ms},
                         {"dead_letters", status.dead_letters},
                         {"dead_letters_more", status.dead_letters_more}});
  if (status.proved_ms > 0) {
    json.AppendMember("proved_at", TimeText(status.proved_ms));
    json.AppendMember("oldest_bucket_proof_ms", status.store_time_ms - status.proved_ms);
  }
  if (!status.index_trouble.empty()) json.AppendMember("index_trouble", status.index_trouble);
  Json generations(Json::Array{});
  for (const a4c::IndexGeneration& one : status.generations) {
    generations.Append(Json::Object{{"number", one.number}, {"live", one.live}});
  }
  json.AppendMember("generations", std::move(generations));
  Json tasks(Json::Array{});
  for (const SyncTask& task : status.tasks) tasks.Append(TaskJson(task));
  json.AppendMember("tasks", std::move(tasks));
  return json;
}

// What was done, or refused by what is stored, with its row in the audit log. If that of something
// done could not be written the answer is the error: all of this may be sent again.
Response Audited(ApiContext& api, const Request& request, int status, const Result<Json>& done) {
  if (!done) {
    const bool by_state =
        done.error().code() == Code::kConflict || done.error().code() == Code::kNotFound;
    return by_state ? RefuseNoted(api, request, ProblemOf(done.error()))
                    : ErrorResponse(done.error());
  }
  const Result<void> noted = NoteAudit(api, request, {.outcome = "applied", .ref = {}});
  return noted ? JsonResponse(status, *done) : ErrorResponse(noted.error());
}

// 202 if it was started, 200 if it is running already: sent twice, there is one.
Response Start(ApiContext& api, Request& request, SyncWork work) {
  const a4c::Call call = api.CallFor(request);
  const Result<SyncTask> started = api.database.StartTask(call, TheKind(), work);
  if (started) return Audited(api, request, 202, TaskJson(*started));
  if (started.error().code() != Code::kConflict) return ErrorResponse(started.error());
  const auto running = api.database.FindTask(call, TheKind(), work);
  if (!running) return ErrorResponse(running.error());
  if (!*running) return ErrorResponse(started.error());
  return JsonResponse(200, TaskJson(**running));
}

// Compares within this request, and leaves what differs as it is.
Response CompareOnly(ApiContext& api, const Request& request) {
  SyncTask task{.work = SyncWork::kVerify,
                .state = SyncTask::State::kSucceeded,
                .phase = "comparing",
                .started_ms = api.database.NowMs()};
  Result<a4c::VerifyReport> report = api.database.Verify(api.CallFor(request), TheKind());
  if (!report) return ErrorResponse(report.error());
  task.done = task.total = report->records;
  task.mismatched_buckets = report->mismatched_buckets;
  task.drift = static_cast<int64_t>(report->drift.size());
  report->drift.resize(std::min(report->drift.size(), kExamplesMax));
  task.examples = std::move(report->drift);
  task.ended_ms = api.database.NowMs();
  Json json = TaskJson(task);
  json.AppendMember("dry_run", true);
  return JsonResponse(200, json);
}

// The member dry_run of a body that may be left out.
Result<bool> DryRun(const ApiContext& api, const Request& request, Faults& faults) {
  if (request.body.empty()) return false;
  A4C_TRY(const Json body, ParseBody(api, request.body));
  FieldReader fields(body, "", faults);
  const Json& dry_run = fields.Any("dry_run");
  if (!dry_run.IsNull() && !dry_run.IsBool()) fields.Add("dry_run", "it is true or false");
  fields.RefuseOthers();
  return dry_run.Bool();
}

// Page by page, until all are found: an id does not say whose the record is.
Result<std::vector<RecordRef>> NamedLetters(ApiContext& api, const Request& request,
                                            const std::vector<std::string>& ids) {
  const a4c::Call call = api.CallFor(request);
  std::set<std::string_view> missing(ids.begin(), ids.end());
  std::vector<RecordRef> refs;
  std::string after;
  do {
    A4C_TRY(const DeadLetterPage page, api.database.DeadLetters(call, TheKind(), after));
    for (const DeadLetter& letter : page.letters) {
      if (missing.erase(letter.ref.key.id) > 0) refs.push_back(letter.ref);
    }
    after = page.next;
  } while (!missing.empty() && !after.empty());
  if (missing.empty()) return refs;
  return Error(Code::kNotFound,
               "there is no dead letter " + std::string(*missing.begin()).substr(0, 256),
               "list them: a4c sync dead-letters");
}

// The ids of a body {"ids": [...]}; none: all.
Result<std::vector<RecordRef>> LettersOf(ApiContext& api, Request& request, Faults& faults) {
  std::vector<RecordRef> refs;
  if (request.body.empty()) return refs;
  A4C_TRY(const Json body, ParseBody(api, request.body));
  FieldReader fields(body, "", faults);
  const std::vector<std::string> ids = fields.TextList("ids", {.count_max = 1'000});
  if (ids.empty() && body.Find("ids") != nullptr) {
    fields.Add("ids", "it names no record", "leave it out to mean all");
  }
  fields.RefuseOthers();
  if (ids.empty() || !faults.empty()) return refs;
  return NamedLetters(api, request, ids);
}

}  // namespace

Response GetSync(ApiContext& api, Request& request) {
  const Result<SyncStatus> status = api.database.Status(api.CallFor(request), TheKind());
  return status ? JsonResponse(200, StatusJson(*status)) : ErrorResponse(status.error());
}

Response GetSyncTask(ApiContext& api, Request& request) {
  const Result<SyncWork> work = a4c::ParseSyncWork(request.Param("task"));
  if (!work) return ErrorResponse(work.error());
  const auto task = api.database.FindTask(api.CallFor(request), TheKind(), *work);
  if (!task) return ErrorResponse(task.error());
  if (*task) return JsonResponse(200, TaskJson(**task));
  return ErrorResponse(Error(Code::kNotFound, "there was no " + request.Param("task") + " yet",
                             "start it: a4c sync " + request.Param("task")));
}

Response VerifySync(ApiContext& api, Request& request) {
  Faults faults;
  const Result<bool> dry_run = DryRun(api, request, faults);
  if (!dry_run) return ErrorResponse(dry_run.error());
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  return *dry_run ? CompareOnly(api, request) : Start(api, request, SyncWork::kVerify);
}

Response RepairSync(ApiContext& api, Request& request) {
  return Start(api, request, SyncWork::kRepair);
}

Response RebuildSync(ApiContext& api, Request& request) {
  return Start(api, request, SyncWork::kRebuild);
}

Response CancelRebuild(ApiContext& api, Request& request) {
  const Result<SyncTask> canceled =
      api.database.CancelTask(api.CallFor(request), TheKind(), SyncWork::kRebuild);
  return Audited(api, request, 200,
                 canceled ? Result<Json>(TaskJson(*canceled)) : Result<Json>(canceled.error()));
}

Response DropOldGenerations(ApiContext& api, Request& request) {
  const Result<int64_t> dropped = api.database.DropOldGenerations(api.CallFor(request), TheKind());
  if (!dropped) return ErrorResponse(dropped.error());
  return Audited(api, request, 200, Json(Json::Object{{"dropped", *dropped}}));
}

Response ListDeadLetters(ApiContext& api, Request& request) {
  const std::string list = "dead-letters";
  const Result<std::string> position = PagePosition(request, list);
  if (!position) return ErrorResponse(position.error());
  const auto page = api.database.DeadLetters(api.CallFor(request), TheKind(), *position);
  if (!page) return ErrorResponse(page.error());
  Json items(Json::Array{});
  for (const DeadLetter& letter : page->letters) {
    Json item = RefJson(letter.ref);
    item.AppendMember("rev", letter.rev);
    item.AppendMember("reason", letter.reason);
    item.AppendMember("since", TimeText(letter.since_ms));
    items.Append(std::move(item));
  }
  return PageResponse(request, list, page->next, Json::Object{{"items", std::move(items)}});
}

Response RetryDeadLetters(ApiContext& api, Request& request) {
  Faults faults;
  const Result<std::vector<RecordRef>> refs = LettersOf(api, request, faults);
  if (!refs) return Audited(api, request, 200, refs.error());
  if (!faults.empty()) return FaultsResponse(std::move(faults));
  const Result<int64_t> retried =
      api.database.RetryDeadLetters(api.CallFor(request), TheKind(), *refs);
  if (!retried) return ErrorResponse(retried.error());
  return Audited(api, request, 200, Json(Json::Object{{"retried", *retried}}));
}

}  // namespace a4cd
