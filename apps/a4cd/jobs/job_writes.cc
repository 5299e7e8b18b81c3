// What becomes of a client's wish: which records change, and how, in one commit.
#include <utility>

#include "apps/a4cd/jobs/built_image.h"
#include "apps/a4cd/jobs/job_service.h"
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

constexpr int kCancelPage = 200;
constexpr size_t kCanceledByDeleteMax = 2'000;  // in one commit with the delete
constexpr int64_t kDeletedAgainMs = 5 * 60'000;

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

std::string DefaultTitle(const JobDraft& draft) {
  const Json& payload = draft.payload;
  for (const char* name : {"name", "workspace", "tag", "host"}) {
    if (payload[name].IsText()) return draft.type + " " + payload[name].Text();
  }
  return draft.type;
}

// What can be known before it is tried.
Result<void> CheckUpdate(const JobDraft& draft, const Workspace& workspace) {
  Faults checked_before;
  FieldReader fields(draft.payload, "/payload", checked_before);
  return ReadSpecChange(fields, "/payload", checked_before).Check(workspace);
}

// As long as it goes on, or is tried again, there is nothing else that its workspace can be made
// of.
Result<void> CheckNotHeld(const Call& call, a4c::Database& database, const std::string& tenant,
                          const Snapshot& snapshot) {
  if (snapshot.state != "ready") return {};
  A4C_TRY(const std::vector<std::string> restores,
          UnfinishedOf(call, database, tenant, snapshot.restores));
  if (restores.empty()) return {};
  return Error(Code::kConflict,
               "a workspace is being restored from the snapshot by job " + restores.front(),
               "wait until it has ended (a4c job watch " + restores.front() +
                   "), or cancel it: a4c job cancel " + restores.front());
}

Error TooManyEarlier() {
  return Error(Code::kConflict,
               "more than " + std::to_string(kCanceledByDeleteMax) +
                   " jobs of the workspace have not ended: they are canceled with the delete, in "
                   "one commit",
               "cancel some of them first (a4c job list --state pending, a4c job cancel JOB), or "
               "wait until they have run");
}

// Whoever receives the context claims the job by its subject, before it is due for others. They
// would find nothing to build from.
void AwaitContext(Job& job, int64_t wait_ms) {
  job.subject = "image-context:" + job.id;
  job.attempts_max = 1;
  job.due_at = job.created_at + wait_ms;
}

}  // namespace

Job JobService::NewJob(const Principal& principal, const JobDraft& draft) {
  const int64_t now_ms = database_.NowMs();
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

// One whose delete has failed for good can be deleted again.
Result<void> JobService::AddDeleteAgain(const Call& call, const Principal& principal,
                                        const JobDraft& draft, const Workspace& workspace,
                                        const Job& job, PreparedWrite& write) {
  A4C_TRY(const bool is_going, HasJobAtWork(call, database_, principal.tenant, job.subject));
  if (draft.type != "workspace.delete" || is_going) {
    return Error(Code::kConflict, "the workspace " + workspace.name + " is being deleted");
  }
  // Nothing else about it has changed since.
  Workspace again = workspace;
  if (draft.delay_ms == 0) again.updated_at = job.created_at;
  write.commit.changes.push_back(WorkspaceChange(principal.tenant, again));
  write.decide_again = true;
  if (draft.delay_ms > 0) return {};
  return CancelEarlier(call, principal, job, write);
}

Result<void> JobService::AddWorkspaceStep(const Call& call, const Principal& principal,
                                          const JobDraft& draft, Job& job, PreparedWrite& write) {
  A4C_TRY(Workspace workspace,
          FindWorkspace(call, principal.tenant, draft.payload["workspace"].Text()));
  write.before =
      a4c::Check{.ref = WorkspaceRef(principal.tenant, workspace.id), .rev = workspace.rev};
  job.workspace = workspace.id;
  job.host = workspace.host;
  job.subject = WorkspaceSubject(workspace.id);
  if (workspace.desired == "deleted") {
    return AddDeleteAgain(call, principal, draft, workspace, job, write);
  }
  A4C_CHECK(CheckNotLost(workspace, draft.type, draft.payload));
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
  write.before = a4c::Check{.ref = SnapshotRef(principal.tenant, snapshot.id), .rev = snapshot.rev};
  A4C_CHECK(CheckNotHeld(call, database_, principal.tenant, snapshot));
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
  a4c::ScanRequest scan{.kind = "job",
                        .index = "by_turn",
                        .scope = principal.tenant,
                        .prefix = {job.subject},
                        .limit = kCancelPage};
  size_t left = kCanceledByDeleteMax;
  do {
    A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, scan));
    if (page.records.size() > left) return TooManyEarlier();
    left -= page.records.size();
    for (const Record& record : page.records) {
      A4C_TRY(Job earlier, JobOf(record));
      A4C_TRY(earlier, Canceled(std::move(earlier), job.created_at, reason::kSubjectGone,
                                "its workspace is being deleted by job " + job.id));
      write.commit.changes.push_back(JobChange(principal.tenant, earlier));
    }
    scan.after = page.next;
  } while (!scan.after.empty());
  return {};
}

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
  } else if (draft.type.starts_with("host.")) {
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
  const int64_t now_ms = database_.NowMs();
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
  A4C_TRY(Job after, Retried(job, database_.NowMs()));
  return WriteOf(principal, job, std::move(after));
}

}  // namespace a4cd
