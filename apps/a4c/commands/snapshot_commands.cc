#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/confirm.h"
#include "apps/a4c/commands/several.h"
#include "apps/a4c/commands/watch.h"

namespace a4c_cli {
namespace {

using a4c::Json;

struct SnapshotOptions {
  std::string workspace;
  std::string snapshot;
  std::string host;
  std::string ttl;
  bool wait = false;
  bool is_sure = false;
  int64_t timeout_s = 3'600;
};

const std::vector<Column>& Columns() {
  static const std::vector<Column> columns = {{"ID", "id"},
                                              {"WORKSPACE", "workspace_name"},
                                              {"STATE", "state", false, Column::As::kState},
                                              {"HOST", "host"},
                                              {"SIZE", "bytes", false, Column::As::kBytes},
                                              {"AGE", "created_at", false, Column::As::kAge},
                                              {"EXPIRES", "expires_at", true},
                                              {"MESSAGE", "message", true}};
  return columns;
}

std::string WorkspacePath(const SnapshotOptions& options) {
  return "/v1/workspaces/" + PercentEncode(BareId(options.workspace, "workspace"));
}
std::string SnapshotPath(const SnapshotOptions& options) {
  return "/v1/snapshots/" + PercentEncode(BareId(options.snapshot, "snapshot"));
}

void Do(Session& session, const SnapshotOptions& options, const Ask& ask) {
  Reply reply;
  if (!session.Send(ask, reply)) return;
  if (!options.wait) return session.Show(reply.body, "job", JobColumns());
  session.exit_code = WaitForJob(session, reply.body, options.timeout_s * 1000);
}

void AddWaiting(CLI::App& leaf, SnapshotOptions& options) {
  leaf.add_flag("--wait", options.wait, "until it is done");
  AddTimeout(leaf, options.timeout_s);
}

}  // namespace

void AddSnapshotOfWorkspace(CLI::App& workspace, Session& session) {
  const auto options = std::make_shared<SnapshotOptions>();
  CLI::App* leaf = workspace.add_subcommand(
      "snapshot", "keep what a workspace has written; it stands still meanwhile");
  leaf->add_option("workspace", options->workspace, "its id or name")->required();
  leaf->add_option("--host", options->host, "kept on this server; none: where the workspace is");
  leaf->add_option("--ttl", options->ttl, "deleted after: 24h, 30d");
  AddWaiting(*leaf, *options);
  leaf->callback([&session, options] {
    Json body(Json::Object{});
    if (!options->host.empty()) body.AppendMember("host", options->host);
    if (!options->ttl.empty()) body.AppendMember("ttl", options->ttl);
    Do(session, *options, {"POST", WorkspacePath(*options) + ":snapshot", body.ToString()});
  });
}

void AddRestoreOfWorkspace(CLI::App& workspace, Session& session) {
  const auto options = std::make_shared<SnapshotOptions>();
  CLI::App* leaf = workspace.add_subcommand(
      "restore", "put a snapshot in the place of what a workspace has written");
  leaf->add_option("workspace", options->workspace, "its id or name")->required();
  leaf->add_option("snapshot", options->snapshot, "of this or another workspace")->required();
  AddWaiting(*leaf, *options);
  AddYes(*leaf, options->is_sure);
  leaf->callback([&session, options] {
    const std::string what = "replace all files of " + options->workspace + " by the snapshot's";
    if (!IsMeant(session, options->is_sure, what)) return;
    const Json body(Json::Object{{"snapshot", BareId(options->snapshot, "snapshot")}});
    Do(session, *options, {"POST", WorkspacePath(*options) + ":restore", body.ToString()});
  });
}

void AddSnapshotCommands(CLI::App& root, Session& session) {
  CLI::App* snapshot = root.add_subcommand("snapshot", "what workspaces kept once");
  snapshot->require_subcommand(1);
  const auto options = std::make_shared<SnapshotOptions>();
  CLI::App* leaf = snapshot->add_subcommand("list", "list snapshots, the newest first");
  leaf->add_option("--workspace", options->workspace, "only of the workspace with this id or name");
  const auto fresh = AddFresh(*leaf);
  const auto watch = std::make_shared<WatchOptions>();
  AddWatch(*leaf, *watch);
  leaf->callback([&session, options, fresh, watch] {
    const auto read = [&] {
      return session.TryPages(
          "/v1/snapshots",
          {{"workspace", BareId(options->workspace, "workspace")}, RequireFresh(*fresh)});
    };
    ShowOrWatch(session, {"snapshot", Columns(), read}, *watch);
  });
  leaf = snapshot->add_subcommand("get", "show one snapshot");
  leaf->add_option("snapshot", options->snapshot, "its id")->required();
  leaf->callback([&session, options] {
    Reply reply;
    if (session.Send({.path = SnapshotPath(*options)}, reply)) {
      session.Show(reply.body, "snapshot", Columns());
    }
  });
  leaf = snapshot->add_subcommand("delete", "delete a snapshot, or several");
  const auto doomed = std::make_shared<Names>(Names{"snapshot"});
  const auto waiting = std::make_shared<Waiting>(Waiting{.timeout_s = 3'600});
  AddNames(*leaf, *doomed);
  AddWaiting(*leaf, *waiting);
  AddYes(*leaf, options->is_sure);
  leaf->callback([&session, options, doomed, waiting] {
    const bool is_one = !doomed->AreSeveral();
    const std::string what =
        (is_one ? "delete snapshot " : "delete snapshots ") + Enumerated(doomed->given);
    if (!IsMeant(session, options->is_sure, what)) return;
    std::vector<Outcome> jobs = DoForEach(session, *doomed, [&](Outcome& outcome) {
      const std::string path = "/v1/snapshots/" + PercentEncode(outcome.name);
      return SendFor(session, {.method = "DELETE", .path = path}, outcome);
    });
    FinishJobs(session, *doomed, std::move(jobs), *waiting);
  });
}

}  // namespace a4c_cli
