#include "apps/a4cd/hosts/lost_server.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/hosts/leftovers.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Json;
using a4c::Op;
using a4c::Record;
using a4c::RecordRef;
using a4c::Result;

namespace {

constexpr int kPage = 200;
constexpr int kTriesMax = 16;

std::string WhatHappened(const std::string& host) {
  return "its server " + host + " is gone for good, and what it kept with it";
}

// A workspace, a snapshot, or a job.
struct Holder {
  std::string tenant;
  std::string id;
};

// The records of both kinds that the id may be of.
struct Owner {
  std::optional<Record> workspace;
  std::optional<Record> snapshot;

  bool IsWorkspace() const { return workspace && !workspace->tombstone; }
  bool IsSnapshot() const { return snapshot && !snapshot->tombstone; }
};

Result<Owner> OwnerOf(const Call& call, a4c::Database& database, const Holder& holder) {
  const std::vector<RecordRef> refs{WorkspaceRef(holder.tenant, holder.id),
                                    SnapshotRef(holder.tenant, holder.id)};
  A4C_TRY(a4c::GetAnswer answer, database.Get(call, refs));
  return Owner{std::move(answer.records.at(0)), std::move(answer.records.at(1))};
}

// Some of those who have something there; none: that was all.
Result<std::vector<Holder>> HoldersOn(const Call& call, a4c::Database& database,
                                      const std::string& host) {
  std::vector<Holder> holders;
  std::set<std::string> named;
  for (const char* kind : {"reservation", "workspace"}) {
    A4C_TRY(
        const a4c::ScanAnswer page,
        database.Scan(call, {.kind = kind, .index = "by_host", .prefix = {host}, .limit = kPage}));
    for (const Record& record : page.records) {
      A4C_TRY(const Json body, a4c::ParseJson(record.body));
      Holder holder{.tenant = record.ref.key.scope, .id = record.ref.key.id};
      if (record.ref.kind == "reservation") {
        holder.tenant = body["tenant"].Text();
        holder.id = body[body["job"].IsText() ? "job" : "workspace"].Text();
      }
      if (named.insert(holder.id).second) holders.push_back(std::move(holder));
    }
  }
  return holders;
}

// What is left of it is on no server, or on another one.
void Unbind(const std::string& host, int64_t epoch, int64_t now_ms, Workspace& workspace) {
  std::erase(workspace.also_on, host);
  workspace.lost_epoch = epoch;
  workspace.updated_at = now_ms;
  if (workspace.host != host) return;
  if (workspace.desired == "deleted" && workspace.also_on.empty()) {
    workspace.actual = "deleted";
    workspace.deleted_at = now_ms;
    return;
  }
  workspace.host.clear();
  workspace.restoring.clear();
  workspace.updating.clear();
  workspace.paused_for.clear();
  workspace.anew = false;
  workspace.lost_with = host;
  workspace.actual = "lost";
  workspace.message = WhatHappened(host);
}

class LettingGo {
 public:
  LettingGo(const Call& call, a4c::Database& database, Reservations& reservations,
            const std::string& host, LostCounts& counts)
      : call_(call),
        database_(database),
        reservations_(reservations),
        host_(host),
        counts_(counts) {}

  // A conflict: somebody has changed it at this moment, or claimed its job. False: it has nothing
  // here any more.
  Result<bool> Of(const Holder& holder) {
    for (int i = 0; i < kTriesMax; ++i) {
      A4C_TRY(const Owner owner, OwnerOf(call_, database_, holder));
      A4C_TRY(a4c::Commit commit, CommitOf(holder, owner));
      if (commit.changes.empty() && commit.also.empty()) return false;
      A4C_TRY(const a4c::Committed done, database_.Write(call_, commit));
      if (done.outcome == a4c::Committed::Outcome::kOutOfBounds) {
        return Error(Code::kInternal, holder.id + " gives back more than was reserved");
      }
      if (done.outcome != a4c::Committed::Outcome::kApplied) continue;
      if (owner.IsWorkspace()) ++counts_.workspaces;
      if (owner.IsSnapshot()) ++counts_.snapshots;
      return true;
    }
    return Error(Code::kConflict, holder.id + " kept changing while it was let go of",
                 "the same once more goes on with it");
  }

 private:
  Result<a4c::Commit> CommitOf(const Holder& holder, const Owner& owner) {
    a4c::Commit commit;
    if (owner.IsWorkspace()) A4C_CHECK(AddWorkspace(*owner.workspace, commit));
    if (owner.IsSnapshot()) A4C_CHECK(AddSnapshot(*owner.snapshot, commit));
    A4C_TRY(const std::vector<Op> released, reservations_.ReleaseOps(call_, host_, holder.id));
    commit.also.insert(commit.also.end(), released.begin(), released.end());
    return commit;
  }

  Result<void> AddWorkspace(const Record& record, a4c::Commit& commit) {
    const std::string& tenant = record.ref.key.scope;
    A4C_TRY(Workspace workspace, WorkspaceOf(record));
    const bool is_here = workspace.host == host_ ||
                         std::ranges::find(workspace.also_on, host_) != workspace.also_on.end();
    if (!is_here) return {};  // only its room has stayed behind
    A4C_TRY(const int64_t epoch,
            RaiseEpoch(call_, database_, tenant, WorkspaceSubject(workspace.id), commit.also));
    Unbind(host_, epoch, database_.NowMs(), workspace);
    commit.changes.push_back({.ref = record.ref,
                              .body = WorkspaceBody(workspace),
                              .tombstone = workspace.deleted_at != 0,
                              .expect = Expect::Rev(record.rev)});
    return {};
  }

  Result<void> AddSnapshot(const Record& record, a4c::Commit& commit) {
    const std::string& tenant = record.ref.key.scope;
    A4C_TRY(Snapshot snapshot, SnapshotOf(record));
    if (snapshot.host != host_) return {};
    A4C_CHECK(RaiseEpoch(call_, database_, tenant, SnapshotSubject(snapshot.id), commit.also));
    snapshot.state = "deleted";
    snapshot.message = WhatHappened(host_);
    snapshot.updated_at = snapshot.deleted_at = database_.NowMs();
    snapshot.expires_at = 0;
    commit.also.emplace_back(SnapshotPut(tenant, snapshot));
    return {};
  }

  const Call& call_;
  a4c::Database& database_;
  Reservations& reservations_;
  const std::string& host_;
  LostCounts& counts_;
};

}  // namespace

Result<void> LetGoOfLost(const Call& call, a4c::Database& database, Reservations& reservations,
                         const std::string& host, LostCounts& counts) {
  LettingGo letting_go(call, database, reservations, host, counts);
  while (true) {
    A4C_TRY(const std::vector<Holder> holders, HoldersOn(call, database, host));
    if (holders.empty()) return {};
    bool goes_on = false;
    for (const Holder& holder : holders) {
      A4C_TRY(const bool had_something, letting_go.Of(holder));
      goes_on = goes_on || had_something;
    }
    if (!goes_on) {
      return Error(Code::kInternal,
                   "what is reserved on server " + host + " cannot be read: " + holders.front().id);
    }
  }
}

}  // namespace a4cd
