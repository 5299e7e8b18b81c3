#include "apps/a4cd/jobs/job_service.h"

#include <span>
#include <utility>

#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Record;
using a4c::Result;

constexpr int64_t kSoonMs = 60'000;  // more than the clocks of instances differ
constexpr int64_t kLogPageBytesMax = 1 << 20;

Error NoJob(const std::string& id) {
  return Error(Code::kNotFound, "there is no job " + id, "list them: a4c job list");
}

Result<void> AddJobs(const ListPage& read, JobPage& page) {
  page.next = read.next;
  for (const Record& record : read.records) {
    A4C_TRY(Job job, JobOf(record));
    page.jobs.push_back(std::move(job));
  }
  return {};
}

// The hits of an answer, which are gone from it.
ListPage PartOf(a4c::Found& found) {
  ListPage part{.records = {},
                .next = std::move(found.answer.next),
                .highlights = std::move(found.highlights)};
  for (a4c::Hit& hit : found.answer.hits) {
    part.records.push_back(
        {.ref = std::move(hit.ref), .rev = hit.rev, .body = std::move(hit.body)});
  }
  return part;
}

// What an answer says of all that was found.
void AddAnswer(a4c::Found found, JobPage& page) {
  page.total = found.answer.total;
  page.fresh = found.fresh;
  page.lost = std::move(found.lost);
  page.lag_ms = found.lag_ms;
  page.facets = std::move(found.answer.facets);
}

}  // namespace

a4c::RecordRef JobRef(const std::string& tenant, const std::string& id) {
  return {"job", {tenant, id}};
}
a4c::RecordRef WorkspaceRef(const std::string& tenant, const std::string& id) {
  return {"workspace", {tenant, id}};
}

namespace {

// Whose turn it is.
Result<std::optional<Job>> FirstUnfinished(const Call& call, a4c::Database& database,
                                           const std::string& tenant, const std::string& subject) {
  A4C_TRY(
      const a4c::ScanAnswer page,
      database.Scan(
          call,
          {.kind = "job", .index = "by_turn", .scope = tenant, .prefix = {subject}, .limit = 1}));
  if (page.records.empty()) return std::optional<Job>();
  A4C_TRY(Job first, JobOf(page.records[0]));
  return std::optional(std::move(first));
}

// Each text with limits and columns of its own.
Result<a4c::Query> QueryOf(const JobList& list, int64_t now_ms) {
  A4C_TRY(a4c::Query query, a4c::ParseQuery(list.query, JobKind(), now_ms));
  if (list.filter.empty()) return query;
  Result<a4c::Query> filter = a4c::ParseQuery(list.filter, JobKind(), now_ms);
  if (!filter) return filter.error().Within("filter");
  a4c::Query both{.node = a4c::Query::Node::kAnd};
  both.children = {std::move(query), *std::move(filter)};
  return both;
}

}  // namespace

bool IsForLater(const a4c::Database& database, const Job& job) {
  return job.scheduled_at > database.NowMs() + kSoonMs;
}

Result<bool> HasUnfinishedJob(const Call& call, a4c::Database& database, const std::string& tenant,
                              const std::string& subject) {
  A4C_TRY(const std::optional<Job> first, FirstUnfinished(call, database, tenant, subject));
  return first.has_value();
}

Result<bool> HasJobAtWork(const Call& call, a4c::Database& database, const std::string& tenant,
                          const std::string& subject) {
  A4C_TRY(const std::optional<Job> first, FirstUnfinished(call, database, tenant, subject));
  return first && !IsForLater(database, *first);
}

Result<std::vector<std::string>> UnfinishedOf(const Call& call, a4c::Database& database,
                                              const std::string& tenant,
                                              const std::vector<std::string>& jobs) {
  std::vector<std::string> unfinished;
  if (jobs.empty()) return unfinished;
  std::vector<a4c::RecordRef> refs;
  refs.reserve(jobs.size());
  for (const std::string& id : jobs) refs.push_back(JobRef(tenant, id));
  A4C_TRY(const a4c::GetAnswer answer, database.Get(call, refs));
  for (const std::optional<Record>& record : answer.records) {
    if (!record || record->tombstone) continue;
    A4C_TRY(const Job job, JobOf(*record));
    if (!job.finished()) unfinished.push_back(job.id);
  }
  return unfinished;
}

Result<Job> JobService::Get(const Call& call, const std::string& tenant, const std::string& id) {
  const a4c::RecordRef ref = JobRef(tenant, id);
  if (!a4c::CheckKey(ref.key)) return NoJob(id);
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<Record>& record = answer.records.at(0);
  if (!record || record->tombstone) return NoJob(id);
  return JobOf(*record);
}

Result<JobPage> JobService::List(const Call& call, const std::string& tenant, const JobList& list) {
  const bool in_store = list.query.empty() && list.filter.empty() && list.tokens.empty() &&
                        list.facets.empty() &&
                        (list.sort == "created_at" || list.sort == "-created_at");
  return in_store ? ListFromStore(call, tenant, list) : ListFromIndex(call, tenant, list);
}

Result<JobPage> JobService::ListFromStore(const Call& call, const std::string& tenant,
                                          const JobList& list) {
  const a4c::ScanRequest scan{.kind = "job",
                              .index = "by_created",
                              .scope = tenant,
                              .descending = list.sort.starts_with('-'),
                              .after = list.after,
                              .limit = list.limit};
  A4C_TRY(const ListPage read, lists_.Read(call, scan, list.may_be_old));
  JobPage page;
  page.stale_ms = read.stale_ms;
  A4C_CHECK(AddJobs(read, page));
  return page;
}

Result<JobPage> JobService::ListFromIndex(const Call& call, const std::string& tenant,
                                          const JobList& list) {
  a4c::FindRequest find{.request = {.kind = JobKind(), .scope = tenant}};
  A4C_TRY(find.request.query, QueryOf(list, database_.NowMs()));
  const bool descending = list.sort.starts_with('-');
  find.request.sort = {{.field = list.sort.substr(descending ? 1 : 0), .descending = descending}};
  const a4c::Field* field = a4c::FindField(JobKind(), find.request.sort[0].field);
  if (field == nullptr || !field->searchable || field->type == a4c::FieldType::kText ||
      field->type == a4c::FieldType::kMap) {
    return Error(Code::kInvalid, "jobs cannot be sorted by \"" + find.request.sort[0].field + "\"",
                 "sort by created_at, updated_at, finished_at, state, type or priority");
  }
  find.tokens = list.tokens;
  find.require_fresh = list.require_fresh;
  find.highlight = list.highlight;
  find.request.facets = list.facets;
  JobPage page;
  page.from_index = true;
  const auto read = [&](const std::string& after, int most) -> Result<ListPage> {
    find.request.after = after;
    find.request.limit = most;
    A4C_TRY(a4c::Found found, database_.Search(call, find));
    ListPage part = PartOf(found);
    if (!page.total) AddAnswer(std::move(found), page);
    // What was waited for, and counted, is so for the parts that follow.
    find.tokens.clear();
    find.require_fresh = false;
    find.request.facets.clear();
    return part;
  };
  A4C_TRY(ListPage whole, ReadPage(list.after, list.limit, read));
  page.highlights = std::move(whole.highlights);
  A4C_CHECK(AddJobs(whole, page));
  return page;
}

Result<a4c::QueryCompletion> JobService::Complete(const Call& call, const std::string& tenant,
                                                  std::string_view query, size_t cursor) {
  a4c::QueryCompletion completion = a4c::CompleteQuery(query, cursor, JobKind());
  if (!completion.values) return completion;
  a4c::FindRequest find{.request = {.kind = JobKind(), .scope = tenant, .limit = 1}};
  find.request.facets = {*completion.values};
  A4C_TRY(const a4c::Found found, database_.Search(call, find));
  a4c::AddValues(completion, found.answer.facets.at(0));
  return completion;
}

Result<LogPage> JobService::Logs(const Call& call, const std::string& tenant, const std::string& id,
                                 int64_t from) {
  LogPage page{.text = {}, .next = from};
  std::string after;
  do {
    A4C_TRY(const a4c::ScanAnswer answer, database_.Scan(call, {.kind = "log_chunk",
                                                                .index = "by_job",
                                                                .scope = tenant,
                                                                .prefix = {id},
                                                                .lower = from,
                                                                .after = after,
                                                                .limit = 16}));
    for (const Record& record : answer.records) {
      A4C_TRY(const Json body, a4c::ParseJson(record.body));
      page.text += body["text"].Text();
      page.next = body["seq"].Int() + 1;
    }
    after = answer.next;
  } while (!after.empty() && page.text.size() < kLogPageBytesMax);
  return page;
}
Result<Workspace> JobService::ReadWorkspaceRecord(const Call& call, const std::string& tenant,
                                                  const std::string& id) {
  const a4c::RecordRef ref = WorkspaceRef(tenant, id);
  if (!a4c::CheckKey(ref.key)) return Error(Code::kNotFound, "there is no workspace " + id);
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  const std::optional<Record>& record = answer.records.at(0);
  if (!record || record->tombstone) return Error(Code::kNotFound, "there is no workspace " + id);
  return WorkspaceOf(*record);
}

Result<Workspace> JobService::FindWorkspace(const Call& call, const std::string& tenant,
                                            const std::string& id_or_name) {
  Result<Workspace> by_id = ReadWorkspaceRecord(call, tenant, id_or_name);
  if (by_id || by_id.error().code() != Code::kNotFound) return by_id;
  A4C_TRY(const a4c::ScanAnswer answer, database_.Scan(call, {.kind = "workspace",
                                                              .index = "by_name",
                                                              .scope = tenant,
                                                              .prefix = {id_or_name},
                                                              .limit = 1}));
  if (!answer.records.empty()) return WorkspaceOf(answer.records[0]);
  return Error(Code::kNotFound, "there is no workspace " + id_or_name,
               "list them: a4c workspace list");
}

Result<JobService::SnapshotPage> JobService::ListSnapshots(const Call& call,
                                                           const std::string& tenant,
                                                           const std::string& workspace,
                                                           const std::string& after, int limit,
                                                           bool may_be_old) {
  a4c::ScanRequest scan{.kind = "snapshot",
                        .index = "by_created",
                        .scope = tenant,
                        .descending = true,
                        .after = after,
                        .limit = limit};
  if (!workspace.empty()) {
    scan.index = "by_workspace";
    scan.prefix = {workspace};
  }
  A4C_TRY(const ListPage read, lists_.Read(call, scan, may_be_old));
  SnapshotPage page{.snapshots = {}, .next = read.next, .stale_ms = read.stale_ms};
  for (const Record& record : read.records) {
    A4C_TRY(Snapshot snapshot, SnapshotOf(record));
    page.snapshots.push_back(std::move(snapshot));
  }
  return page;
}

Result<JobService::WorkspacePage> JobService::ListWorkspaces(const Call& call,
                                                             const std::string& tenant,
                                                             const std::string& after, int limit,
                                                             bool may_be_old) {
  const a4c::ScanRequest scan{.kind = "workspace",
                              .index = "by_created",
                              .scope = tenant,
                              .descending = true,
                              .after = after,
                              .limit = limit};
  A4C_TRY(const ListPage read, lists_.Read(call, scan, may_be_old));
  WorkspacePage page{
      .workspaces = {}, .next = read.next, .stale_ms = read.stale_ms, .bytes = read.bytes};
  for (const Record& record : read.records) {
    A4C_TRY(Workspace workspace, WorkspaceOf(record));
    page.workspaces.push_back(std::move(workspace));
  }
  return page;
}

}  // namespace a4cd
