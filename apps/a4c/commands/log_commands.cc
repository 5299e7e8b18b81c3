// a4c job logs, a4c workspace logs: all, the last lines, or as it grows.
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/sessions/follow.h"

namespace a4c_cli {
namespace {

constexpr int kLinesMax = 100'000;  // as the API has it

struct LogOptions {
  std::string id;
  bool follow = false;
  int lines = -1;  // below 0: all
  std::string since;
};

// Where the log begins: said once, what comes later has a position.
std::vector<std::pair<std::string, std::string>> BeginQuery(const LogOptions& options) {
  return {{"tail", options.lines < 0 ? "" : std::to_string(options.lines)},
          {"since", options.since}};
}

int ShowLog(Session& session, const std::string& path, const LogOptions& options) {
  std::vector<std::pair<std::string, std::string>> query = BeginQuery(options);
  Reply reply;
  do {
    if (!session.Send({.path = WithQuery(path, query)}, reply)) return session.exit_code;
    session.ShowText(reply.text);
    query = {{"from", reply.Header("A4C-Log-Next")}};
  } while (!reply.text.empty() && !query.front().second.empty());
  return kOk;
}

// A stream has no length: whether it was all is known by the job.
int ExitOfFollowed(Session& session, const std::string& path) {
  Reply job;
  if (!session.Send({.path = path}, job)) return session.exit_code;
  const std::string& state = job.body["state"].Text();
  if (state != "pending" && state != "running") return kOk;
  return session.Complain(a4c::Error(a4c::Code::kUnavailable,
                                     "the log broke off, and the job goes on", "follow it again"));
}

int FollowJobLog(Session& session, const std::string& path, const LogOptions& options) {
  std::vector<std::pair<std::string, std::string>> query = BeginQuery(options);
  query.emplace_back("follow", "true");
  Client* client = session.Connect();
  if (client == nullptr) return session.exit_code;
  const a4c::Result<Reply> reply =
      client->Stream({.path = WithQuery(path + "/logs", query)}, [&](std::string_view bytes) {
        session.ShowText(std::string(bytes));
        return true;
      });
  if (!reply) return session.Complain(reply.error());
  return reply->ok() ? ExitOfFollowed(session, path) : session.Complain(*reply);
}

std::string PathOf(const std::string& nouns, const std::string& id) {
  return "/v1/" + nouns + "/" + PercentEncode(id);
}

std::shared_ptr<LogOptions> AddLogOptions(CLI::App& leaf) {
  auto options = std::make_shared<LogOptions>();
  leaf.add_option("--tail", options->lines, "the last so many lines; 0: only what is new, with -f")
      ->check(CLI::Range(0, kLinesMax));
  leaf.add_option("--since", options->since, "10m, or 2026-11-28T10:00:00Z: what was logged since");
  return options;
}

}  // namespace

void AddJobLogs(CLI::App& job, Session& session) {
  CLI::App* leaf = job.add_subcommand("logs", "print what a job has logged");
  const auto options = AddLogOptions(*leaf);
  leaf->add_option("job", options->id, "its id")->required();
  leaf->add_flag("-f,--follow", options->follow, "until it has ended");
  leaf->callback([&session, options] {
    const std::string path = PathOf("jobs", BareId(options->id, "job"));
    session.exit_code = options->follow ? FollowJobLog(session, path, *options)
                                        : ShowLog(session, path + "/logs", *options);
  });
}

void AddWorkspaceLogs(CLI::App& workspace, Session& session) {
  CLI::App* leaf = workspace.add_subcommand("logs", "print what a workspace has written");
  const auto options = AddLogOptions(*leaf);
  leaf->add_option("workspace", options->id, "its id or name")->required();
  leaf->add_flag("-f,--follow", options->follow, "go on as it grows, over breaks");
  leaf->callback([&session, options] {
    const std::string id = BareId(options->id, "workspace");
    session.exit_code = options->follow
                            ? FollowWorkspaceLog(session, id, BeginQuery(*options))
                            : ShowLog(session, PathOf("workspaces", id) + "/logs", *options);
  });
}

}  // namespace a4c_cli
