#include "apps/a4cd/hosts/drain_loop.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "apps/a4cd/executors/other_servers.h"
#include "apps/a4cd/hosts/enrolments.h"

namespace a4cd {

using a4c::Call;
using a4c::Json;
using a4c::Record;
using a4c::Result;

namespace {

class DrainLoop final : public a4c::Loop {
 public:
  DrainLoop(a4c::Database& database, JobService& jobs, const DrainOptions& options)
      : database_(database), jobs_(jobs), options_(options) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const std::vector<HostRecord> hosts, ReadHosts(call, database_));
    for (const HostRecord& host : hosts) {
      if (host.draining) A4C_CHECK(Drain(call, host));
    }
    return options_.period_ms;
  }

 private:
  // Nothing, while one of the server's workspaces is on its way. One that waits for room, or for
  // another server's word, keeps none of the others.
  Result<void> Drain(const Call& call, const HostRecord& host) {
    A4C_TRY(const std::vector<Record> records, WorkspacesOn(call, database_, host.id));
    const bool answers = host.figures && host.figures->host.reachable;
    std::optional<Record> next;
    for (const Record& record : records) {
      A4C_TRY(const Workspace workspace, WorkspaceOf(record));
      A4C_TRY(const std::optional<Job> move, MoveOf(call, record.ref.key));
      const bool waits = move && move->state == JobState::kPending &&
                         (move->reason == reason::kNoCapacity ||
                          (move->reason == reason::kHostUnreachable && answers));
      if (move && !waits) return {};
      if (waits || HasJustFailed(record)) continue;
      if (!next && WhyItStays(workspace, host.drains_volumes).empty()) next = record;
    }
    if (!next) return {};
    return Move(call, *next, host);
  }

  // One that cannot be moved now is let alone for a while: it stands still at each try.
  bool HasJustFailed(const Record& record) const {
    const auto found = record.quiet.find(kMoveFailedAt);
    const auto* at = found == record.quiet.end() ? nullptr : std::get_if<int64_t>(&found->second);
    return at != nullptr && database_.NowMs() - *at < options_.retry_wait_ms;
  }

  // The one that has not ended. One that somebody wants later keeps neither this workspace here nor
  // the others.
  Result<std::optional<Job>> MoveOf(const Call& call, const a4c::Key& workspace) {
    A4C_TRY(const a4c::ScanAnswer page,
            database_.Scan(call, {.kind = "job",
                                  .index = "by_turn",
                                  .scope = workspace.scope,
                                  .prefix = {WorkspaceSubject(workspace.id)},
                                  .limit = 100}));
    for (const Record& record : page.records) {
      A4C_TRY(Job job, JobOf(record));
      if (IsForLater(database_, job)) break;
      if (job.type == "workspace.move") return std::optional(std::move(job));
    }
    return std::optional<Job>();
  }

  Result<void> Move(const Call& call, const Record& record, const HostRecord& host) {
    JobDraft draft;
    draft.type = "workspace.move";
    draft.title = "the server " + host.id + " is being drained";
    draft.payload = Json::Object{{"workspace", record.ref.key.id}};
    if (host.drains_volumes) draft.payload.Set("with_volume", true);
    return jobs_.CreateOwn(call, record.ref.key.scope, "drain", draft);
  }

  const std::string name_ = "drain";
  a4c::Database& database_;
  JobService& jobs_;
  const DrainOptions options_;
};

}  // namespace

std::string WhyItStays(const Workspace& workspace, bool with_volumes) {
  if (workspace.desired == "deleted") return "it is being deleted";
  if (!workspace.wanted_host.empty()) return "it is tied to this server";
  if (!workspace.restoring.empty()) return "it is half restored from a snapshot";
  if (!with_volumes && workspace.on_drain != "recreate") {
    return "its on_drain is not \"recreate\"";
  }
  return "";
}

Result<std::vector<Record>> WorkspacesOn(const Call& call, a4c::Database& database,
                                         const std::string& host) {
  std::vector<Record> records;
  a4c::ScanRequest scan{.kind = "workspace", .index = "by_host", .prefix = {host}, .limit = 500};
  do {
    A4C_TRY(a4c::ScanAnswer page, database.Scan(call, scan));
    std::ranges::move(page.records, std::back_inserter(records));
    scan.after = page.next;
  } while (!scan.after.empty());
  return records;
}

std::unique_ptr<a4c::Loop> NewDrainLoop(a4c::Database& database, JobService& jobs,
                                        const DrainOptions& options) {
  return std::make_unique<DrainLoop>(database, jobs, options);
}

}  // namespace a4cd
