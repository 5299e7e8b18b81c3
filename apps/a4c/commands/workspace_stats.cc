// a4c workspace stats: what workspaces use just now. Each is asked twice, a second apart, so that
// all are measured over the same time; with --watch each further time counts from the one before.
#include <unistd.h>

#include <cmath>
#include <map>
#include <memory>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {
namespace {

using a4c::Json;

constexpr int64_t kIntervalMs = 1'000;
constexpr int64_t kWatchMs = 2'000;

struct StatsOptions {
  std::vector<std::string> workspaces;
  bool watch = false;
};

const std::vector<Column>& StatsColumns() {
  static const std::vector<Column> columns = {
      {"NAME", "name"},
      {"ACTUAL", "actual", false, Column::As::kState},
      {"CPU %", "cpu_percent"},
      {"MEMORY", "memory_bytes", false, Column::As::kBytes},
      {"LIMIT", "memory_limit_bytes", false, Column::As::kBytes},
      {"PROCESSES", "processes"},
      {"DISK USED", "disk_used_bytes", false, Column::As::kBytes},
      {"DISK", "disk_limit_bytes", false, Column::As::kBytes},
      {"AGE", "read_at", false, Column::As::kAge},
      {"ID", "id", true},
      {"HOST", "host", true}};
  return columns;
}

class StatsReader {
 public:
  explicit StatsReader(Session& session) : session_(session) {}

  // Of all that could be read; the others are complained about.
  Json Read(const std::vector<std::string>& workspaces) {
    Json items(Json::Array{});
    session_.exit_code = kOk;
    for (const std::string& workspace : workspaces) {
      Reply reply;
      const std::string path = "/v1/workspaces/" + PercentEncode(workspace) + "/stats";
      if (!session_.Send({.path = path + "?interval_ms=0"}, reply)) {
        failed_ = session_.exit_code;
        continue;
      }
      items.Append(WithCpu(std::move(reply.body)));
    }
    session_.exit_code = failed_;
    return Json::Object{{"items", std::move(items)}};
  }

 private:
  struct Seen {
    int64_t cpu_ms = 0;
    int64_t at_ms = 0;
  };

  Json WithCpu(Json stats) {
    const std::string& id = stats["id"].Text();
    if (!stats["running"].Bool()) {
      seen_.erase(id);
      return stats;
    }
    const Seen now{stats["cpu_ms"].Int(), session_.runtime.clock.MonotonicMs()};
    const auto before = seen_.find(id);
    const bool is_known = before != seen_.end() && now.cpu_ms >= before->second.cpu_ms &&
                          now.at_ms > before->second.at_ms;
    if (is_known) {
      const auto used_ms = static_cast<double>(now.cpu_ms - before->second.cpu_ms);
      const auto passed_ms = static_cast<double>(now.at_ms - before->second.at_ms);
      stats.Set("cpu_percent", std::round(used_ms * 1000 / passed_ms) / 10);
    }
    seen_[id] = now;
    return stats;
  }

  Session& session_;
  std::map<std::string, Seen> seen_;
  int failed_ = kOk;
};

// Those given, or all that run. False: exit_code is set.
bool Chosen(Session& session, const StatsOptions& options, std::vector<std::string>& workspaces) {
  for (const std::string& given : options.workspaces) {
    workspaces.push_back(BareId(given, "workspace"));
  }
  if (!workspaces.empty()) return true;
  Json list;
  if (!session.SendForAll("/v1/workspaces", {{"actual", "running"}}, list)) return false;
  for (const Json& workspace : list["items"].Items()) {
    workspaces.push_back(workspace["id"].Text());
  }
  return true;
}

void ShowStats(Session& session, const StatsOptions& options) {
  std::vector<std::string> workspaces;
  if (!Chosen(session, options, workspaces)) return;
  StatsReader reader(session);
  const Json first = reader.Read(workspaces);
  // Nobody is asked a second time only to fail again.
  if (first["items"].Items().empty() && !workspaces.empty()) return;
  const bool redraws = options.watch && session.IsForPeople() && isatty(STDOUT_FILENO) == 1;
  int64_t wait_ms = kIntervalMs;
  do {
    if (!workspaces.empty()) session.Pause(wait_ms);
    const Json stats = reader.Read(workspaces);
    if (redraws) session.ShowText("\x1b[H\x1b[2J");
    session.Show(stats, "workspace", StatsColumns());
    wait_ms = kWatchMs;
  } while (options.watch && !workspaces.empty());
}

}  // namespace

void AddWorkspaceStats(CLI::App& workspace, Session& session) {
  const auto options = std::make_shared<StatsOptions>();
  CLI::App* leaf = workspace.add_subcommand(
      "stats", "show what workspaces use just now: processor, memory, processes, disk");
  leaf->add_option("workspaces", options->workspaces, "ids or names; none: all that run");
  leaf->add_flag("--watch", options->watch, "go on, every two seconds");
  leaf->callback([&session, options] { ShowStats(session, *options); });
}

}  // namespace a4c_cli
