// a4c job logs, a4c workspace logs: all, the last lines, or as it grows.
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/job_log.h"
#include "apps/a4c/commands/watch.h"
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

int FollowJobLog(Session& session, const std::string& id, const LogOptions& options) {
  Breaks breaks(session);
  const JobLogFollower follower{
      .session = session,
      .job = id,
      .begin = BeginQuery(options),
      .show = [&](const std::string& text) { session.ShowText(text); },
      .answered = [&] { breaks.Answered(); },
      .go_on = [&](const a4c::Result<Reply>& ended) { return breaks.GoOn(ended); },
      .goes_on = [] { return IsRead(); }};
  return follower.Run() || !IsRead() ? kOk : session.exit_code;
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
    const std::string id = BareId(options->id, "job");
    session.exit_code = options->follow ? FollowJobLog(session, id, *options)
                                        : ShowLog(session, PathOf("jobs", id) + "/logs", *options);
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
