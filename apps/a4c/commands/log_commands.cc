// a4c job logs, a4c workspace logs: all, the last lines, or as it grows.
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/commands/job_log.h"
#include "apps/a4c/commands/watch.h"
#include "apps/a4c/sessions/follow.h"

namespace a4c_cli {
namespace {

constexpr int kLinesMax = 100'000;  // as the API has it
// Of a page of the API. One that has less ended where the log ended then; a log that grows all the
// time has no other end.
constexpr size_t kPageBytes = 1 << 20;

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

// The first lines of a text, as many as are left; below 0: all of it.
std::string TakeLines(const std::string& text, int& left) {
  if (left < 0) return text;
  size_t end = 0;
  for (; left > 0 && end < text.size(); --left) {
    const size_t newline = text.find('\n', end);
    if (newline == std::string::npos) return text;
    end = newline + 1;
  }
  return text.substr(0, end);
}

// Whether the last lines come in one page, or in as many as they take.
enum class Tail { kOnePage, kPages };

// Up to where the log ended when it was asked for.
int ShowLog(Session& session, const std::string& path, const LogOptions& options, Tail tail) {
  std::vector<std::pair<std::string, std::string>> query = BeginQuery(options);
  const bool is_tail = options.lines >= 0;
  int left = options.lines;
  while (true) {
    Reply reply;
    if (!session.Send({.path = WithQuery(path, query)}, reply)) return session.exit_code;
    session.ShowText(TakeLines(reply.text, left));
    query = {{"from", reply.Header("A4C-Log-Next")}};
    if (reply.text.empty() || query.front().second.empty()) return kOk;
    const bool is_end =
        is_tail ? left == 0 || tail == Tail::kOnePage : reply.text.size() < kPageBytes;
    if (is_end) return kOk;
  }
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
    session.exit_code =
        options->follow ? FollowJobLog(session, id, *options)
                        : ShowLog(session, PathOf("jobs", id) + "/logs", *options, Tail::kPages);
  });
}

void AddWorkspaceLogs(CLI::App& workspace, Session& session) {
  CLI::App* leaf = workspace.add_subcommand("logs", "print what a workspace has written");
  const auto options = AddLogOptions(*leaf);
  leaf->add_option("workspace", options->id, "its id or name")->required();
  leaf->add_flag("-f,--follow", options->follow, "go on as it grows, over breaks");
  leaf->callback([&session, options] {
    const std::string id = BareId(options->id, "workspace");
    session.exit_code = options->follow ? FollowWorkspaceLog(session, id, BeginQuery(*options))
                                        : ShowLog(session, PathOf("workspaces", id) + "/logs",
                                                  *options, Tail::kOnePage);
  });
}

}  // namespace a4c_cli
