#include "apps/a4cd/jobs/job_service.h"

#include <span>
#include <utility>

#include "apps/a4cd/jobs/built_image.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/jobs/spec_change.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Change;
using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Json;
using a4c::Record;
using a4c::Result;

constexpr int kCanceledByDeleteMax = 200;
constexpr int64_t kSoonMs = 60'000;  // more than the clocks of instances differ
constexpr int64_t kDeletedAgainMs = 5 * 60'000;
constexpr int64_t kLogPageBytesMax = 1 << 20;

Change JobChange(const std::string& tenant, const Job& job) {
  return {.ref = JobRef(tenant, job.id),
          .body = JobBody(job),
          .expect = job.rev == 0 ? Expect::Absent() : Expect::Rev(job.rev)};
}

Change WorkspaceChange(const std::string& tenant, const Workspace& workspace) {
  return {.ref = WorkspaceRef(tenant, workspace.id),
          .body = WorkspaceBody(workspace),
          .expect = workspace.rev == 0 ? Expect::Absent() : Expect::Rev(workspace.rev)};
}

PreparedWrite WriteOf(const Principal& principal, const Job& before, Job after) {
  PreparedWrite write;
  after.rev = before.rev;
  write.commit.changes.push_back(JobChange(principal.tenant, after));
  after.rev = before.rev + 1;
  write.id = after.id;
  write.rev = after.rev;
  write.view = JobView(after);
  write.decide_again = true;
  return write;
}

// A job that has not begun, but stands in its workspace's record since it was made.
bool HasSaidWhatItWants(const Job& job) {
  const bool has_begun = job.attempts > 0 || job.state != JobState::kPending;
  return !has_begun && !job.workspace.empty() && job.scheduled_at == job.created_at;
}

Error NoJob(const std::string& id) {
  return Error(Code::kNotFound, "there is no job " + id, "list them: a4c job list");
}

std::string DefaultTitle(const JobDraft& draft) {
  const Json& payload = draft.payload;
  for (const char* name : {"name", "workspace", "tag", "host"}) {
    if (payload[name].IsText()) return draft.type + " " + payload[name].Text();
  }
  return draft.type;
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

}  // namespace

Result<bool> HasUnfinishedJob(const Call& call, a4c::Database& database, const std::string& tenant,
                              const std::string& subject) {
  A4C_TRY(const std::optional<Job> first, FirstUnfinished(call, database, tenant, subject));
  return first.has_value();
}

Result<bool> HasJobAtWork(const Call& call, a4c::Database& database, const std::string& tenant,
                          const std::string& subject) {
  A4C_TRY(const std::optional<Job> first, FirstUnfinished(call, database, tenant, subject));
  return first && first->scheduled_at <= call.clock.NowMs() + kSoonMs;
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
  const bool in_store = list.query.empty() && list.tokens.empty() && list.facets.empty() &&
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
  A4C_TRY(const a4c::ReplicaScan answer, lists_.Scan(call, scan, list.may_be_old));
  JobPage page;
  page.next = answer.scan.next;
  page.stale_ms = answer.stale_ms_max;
  for (const Record& record : answer.scan.records) {
    A4C_TRY(Job job, JobOf(record));
    page.jobs.push_back(std::move(job));
  }
  return page;
}

Result<JobPage> JobService::ListFromIndex(const Call& call, const std::string& tenant,
                                          const JobList& list) {
  a4c::FindRequest find{.request = {.kind = JobKind(), .scope = tenant}};
  if (!list.query.empty()) {
    A4C_TRY(find.request.query, a4c::ParseQuery(list.query, JobKind(), runtime_.clock.NowMs()));
  }
  const bool descending = list.sort.starts_with('-');
  find.request.sort = {{.field = list.sort.substr(descending ? 1 : 0), .descending = descending}};
  const a4c::Field* field = a4c::FindField(JobKind(), find.request.sort[0].field);
  if (field == nullptr || !field->searchable || field->type == a4c::FieldType::kText ||
      field->type == a4c::FieldType::kMap) {
    return Error(Code::kInvalid, "jobs cannot be sorted by \"" + find.request.sort[0].field + "\"",
                 "sort by created_at, updated_at, finished_at, state, type or priority");
  }
  find.request.after = list.after;
  find.request.limit = list.limit;
  find.tokens = list.tokens;
  find.require_fresh = list.require_fresh;
  find.highlight = list.highlight;
  find.request.facets = list.facets;
  A4C_TRY(a4c::Found found, database_.Search(call, find));
  JobPage page;
  page.next = found.answer.next;
  page.total = found.answer.total;
  page.from_index = true;
  page.fresh = found.fresh;
  page.lost = std::move(found.lost);
  page.lag_ms = found.lag_ms;
  page.highlights = std::move(found.highlights);
  page.facets = std::move(found.answer.facets);
  for (const a4c::Hit& hit : found.answer.hits) {
    A4C_TRY(Job job, JobOf(hit.ref.key.id, hit.rev, hit.body));
    page.jobs.push_back(std::move(job));
  }
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

Job JobService::NewJob(const Principal& principal, const JobDraft& draft) {
  const int64_t now_ms = runtime_.clock.NowMs();
  Job job;
  job.id = ids_.Next();
  job.type = draft.type;
  job.title = draft.title.empty() ? DefaultTitle(draft) : draft.title;
  job.reason = reason::kWaiting;
  job.payload = draft.payload;
  job.labels = draft.labels;
  job.priority = draft.priority;
  job.created_at = now_ms;
  job.updated_at = now_ms;
  job.due_at = now_ms + draft.delay_ms;
  job.scheduled_at = job.due_at;
  if (draft.deadline_ms > 0) job.deadline_at = now_ms + draft.deadline_ms;
  job.attempts_max = draft.attempts_max;
  job.created_by = principal.key_id;
  return job;
}

Result<void> JobService::AddWorkspaceCreate(const Call& call, const Principal& principal,
                                            const JobDraft& draft, Job& job, PreparedWrite& write) {
  Faults checked_before;
  Workspace workspace = ReadWorkspace(draft.payload, "/payload", job.created_at, checked_before);
  A4C_TRY(workspace.image_digest, BuiltDigest(call, database_, principal.tenant, workspace.image));
  workspace.id = ids_.Next();
  workspace.created_by = principal.key_id;
  job.workspace = workspace.id;
  job.subject = WorkspaceSubject(workspace.id);
  write.commit.changes.push_back(WorkspaceChange(principal.tenant, workspace));
  return {};
}

namespace {

// What can be known before it is tried.
Result<void> CheckUpdate(const JobDraft& draft, const Workspace& workspace) {
  Faults checked_before;
  FieldReader fields(draft.payload, "/payload", checked_before);
  return ReadSpecChange(fields, "/payload", checked_before).Check(workspace);
}

}  // namespace

Result<void> JobService::AddWorkspaceStep(const Call& call, const Principal& principal,
                                          const JobDraft& draft, Job& job, PreparedWrite& write) {
  A4C_TRY(Workspace workspace,
          FindWorkspace(call, principal.tenant, draft.payload["workspace"].Text()));
  job.workspace = workspace.id;
  job.host = workspace.host;
  job.subject = WorkspaceSubject(workspace.id);
  if (workspace.desired == "deleted") {
    // One whose delete has failed for good can be deleted again.
    A4C_TRY(const bool is_going, HasUnfinishedJob(call, database_, principal.tenant, job.subject));
    if (draft.type == "workspace.delete" && !is_going) {
      // Nothing else about it has changed since.
      write.commit.changes.push_back(WorkspaceChange(principal.tenant, workspace));
      write.decide_again = true;
      return {};
    }
    return Error(Code::kConflict, "the workspace " + workspace.name + " is being deleted");
  }
  if (draft.type == "workspace.restore") {
    // That it is there; what it is by then, its job looks at.
    A4C_CHECK(ReadSnapshot(call, database_, principal.tenant, draft.payload["snapshot"].Text()));
    return {};
  }
  if (draft.type == "workspace.snapshot") {
    AddSnapshot(principal, draft, workspace, job, write);
    return {};
  }
  if (draft.type == "workspace.move") job.payload.Set("from", workspace.host);
  if (draft.type == "command.run" || draft.type == "workspace.move") return {};
  if (draft.type == "workspace.update") return CheckUpdate(draft, workspace);
  // What is to be done later changes nothing until then: see JobAttempts.
  if (draft.delay_ms > 0) return {};
  if (draft.is_restart) {
    ++workspace.restarts;
  } else if (draft.type == "workspace.start") {
    workspace.restarts = 0;
  }
  Intend(draft.type, workspace);
  workspace.updated_at = job.created_at;
  write.commit.changes.push_back(WorkspaceChange(principal.tenant, workspace));
  write.decide_again = true;
  if (draft.type == "workspace.delete") return CancelEarlier(call, principal, job, write);
  return {};
}

void JobService::AddSnapshot(const Principal& principal, const JobDraft& draft,
                             const Workspace& workspace, Job& job, PreparedWrite& write) {
  Faults checked_before;
  FieldReader fields(draft.payload, "/payload", checked_before);
  const Snapshot snapshot{.id = ids_.Next(),
                          .workspace = workspace.id,
                          .workspace_name = workspace.name,
                          .job = job.id,
                          .wanted_host = fields.Text("host"),
                          .disk_bytes = workspace.disk_bytes,
                          .created_at = job.created_at,
                          .updated_at = job.created_at,
                          .ttl_ms = fields.DurationMs("ttl"),
                          // Until it is whole: should its job end without it.
                          .expires_at = job.created_at,
                          .created_by = principal.key_id};
  job.payload.Set("snapshot", snapshot.id);
  write.commit.changes.push_back({.ref = SnapshotRef(principal.tenant, snapshot.id),
                                  .body = SnapshotBody(snapshot),
                                  .expect = Expect::Absent()});
}

Result<void> JobService::AddSnapshotDelete(const Call& call, const Principal& principal,
                                           const JobDraft& draft, Job& job, PreparedWrite& write) {
  A4C_TRY(Snapshot snapshot,
          ReadSnapshot(call, database_, principal.tenant, draft.payload["snapshot"].Text()));
  job.host = snapshot.host;
  job.subject = SnapshotSubject(snapshot.id);
  snapshot.state = "deleting";
  snapshot.updated_at = job.created_at;
  // Should this job end without it, there is another one after a while.
  snapshot.expires_at = job.created_at + kDeletedAgainMs;
  write.commit.changes.push_back({.ref = SnapshotRef(principal.tenant, snapshot.id),
                                  .body = SnapshotBody(snapshot),
                                  .expect = Expect::Rev(snapshot.rev)});
  write.decide_again = true;
  return {};
}

Result<void> JobService::CancelEarlier(const Call& call, const Principal& principal, const Job& job,
                                       PreparedWrite& write) {
  A4C_TRY(const a4c::ScanAnswer answer, database_.Scan(call, {.kind = "job",
                                                              .index = "by_turn",
                                                              .scope = principal.tenant,
                                                              .prefix = {job.subject},
                                                              .limit = kCanceledByDeleteMax}));
  for (const Record& record : answer.records) {
    A4C_TRY(Job earlier, JobOf(record));
    A4C_TRY(earlier, Canceled(std::move(earlier), job.created_at, reason::kSubjectGone,
                              "its workspace is being deleted by job " + job.id));
    write.commit.changes.push_back(JobChange(principal.tenant, earlier));
  }
  return {};
}

namespace {

// Whoever receives the context claims the job by its subject, before it is due for others. They
// would find nothing to build from.
void AwaitContext(Job& job, int64_t wait_ms) {
  job.subject = "image-context:" + job.id;
  job.attempts_max = 1;
  job.due_at = job.created_at + wait_ms;
}

}  // namespace

Result<PreparedWrite> JobService::PrepareCreate(const Call& call, const Principal& principal,
                                                const JobDraft& draft) {
  PreparedWrite write;
  Job job = NewJob(principal, draft);
  if (draft.type == "workspace.create") {
    A4C_CHECK(AddWorkspaceCreate(call, principal, draft, job, write));
  } else if (draft.type == "image.build") {
    job.subject = "image:" + draft.payload["tag"].Text();
    job.host = draft.payload["host"].Text();
    if (draft.payload.Find("context") == nullptr) AwaitContext(job, context_wait_ms_);
  } else if (draft.type == "host.cleanup" || draft.type == "host.adopt") {
    job.host = draft.payload["host"].Text();
    job.subject = "host:" + job.host;
  } else if (draft.type == "snapshot.delete") {
    A4C_CHECK(AddSnapshotDelete(call, principal, draft, job, write));
  } else {
    A4C_CHECK(AddWorkspaceStep(call, principal, draft, job, write));
  }
  write.commit.changes.insert(write.commit.changes.begin(), JobChange(principal.tenant, job));
  job.rev = 1;
  write.id = job.id;
  write.rev = 1;
  write.view = JobView(job);
  return write;
}

Result<void> JobService::CreateOwn(const Call& call, const std::string& tenant,
                                   const std::string& by, const JobDraft& draft) {
  const Principal principal{.tenant = tenant, .key_id = by, .scopes = {}};
  const Result<PreparedWrite> write = PrepareCreate(call, principal, draft);
  const Code code = write ? Code::kInternal : write.error().code();
  if (code == Code::kConflict || code == Code::kNotFound) return {};
  if (!write) return write.error();
  A4C_CHECK(database_.Write(call, write->commit));
  return {};
}

Result<PreparedWrite> JobService::PrepareCancel(const Call& call, const Principal& principal,
                                                const Job& job) {
  const int64_t now_ms = runtime_.clock.NowMs();
  A4C_TRY(Job after,
          Canceled(job, now_ms, reason::kCanceledByUser, "canceled by " + principal.key_id));
  PreparedWrite write = WriteOf(principal, job, std::move(after));
  if (!HasSaidWhatItWants(job)) return write;
  Result<Workspace> workspace = ReadWorkspaceRecord(call, principal.tenant, job.workspace);
  if (!workspace && workspace.error().code() == Code::kNotFound) return write;
  if (!workspace) return workspace.error();
  const std::string before = workspace->desired;
  Unintend(job.type, *workspace);
  if (workspace->desired == before) return write;
  workspace->updated_at = now_ms;
  write.commit.changes.push_back(WorkspaceChange(principal.tenant, *workspace));
  return write;
}

Result<PreparedWrite> JobService::PrepareRetry(const Principal& principal, const Job& job) {
  A4C_TRY(Job after, Retried(job, runtime_.clock.NowMs()));
  return WriteOf(principal, job, std::move(after));
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
  A4C_TRY(const a4c::ReplicaScan answer, lists_.Scan(call, scan, may_be_old));
  SnapshotPage page{.snapshots = {}, .next = answer.scan.next, .stale_ms = answer.stale_ms_max};
  for (const Record& record : answer.scan.records) {
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
  A4C_TRY(const a4c::ReplicaScan answer, lists_.Scan(call, scan, may_be_old));
  WorkspacePage page{.workspaces = {}, .next = answer.scan.next, .stale_ms = answer.stale_ms_max};
  for (const Record& record : answer.scan.records) {
    A4C_TRY(Workspace workspace, WorkspaceOf(record));
    page.workspaces.push_back(std::move(workspace));
  }
  return page;
}

}  // namespace a4cd
