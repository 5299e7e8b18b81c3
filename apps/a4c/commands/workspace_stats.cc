// a4c workspace stats: what workspaces use just now, of all in one request, measured over a second;
// with --watch each further time counts from the one before.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/sessions/exec.h"

namespace a4c_cli {
namespace {

using a4c::Json;

constexpr int64_t kIntervalMs = 1'000;
constexpr int64_t kWatchMs = 2'000;
constexpr size_t kNamedMax = 100;  // in one request, as the API has it

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
  // workspaces: ids or names; none: all that run.
  StatsReader(Session& session, std::vector<std::string> workspaces)
      : session_(session), workspaces_(std::move(workspaces)) {}

  // Of all that could be read; the others are complained about, and exit_code is set. False: the
  // request itself has failed.
  bool Read(int64_t interval_ms, Json& stats) {
    Json list;
    if (!Ask(interval_ms, list)) return false;
    Json items(Json::Array{});
    for (const Json& item : list["items"].Items()) {
      if (item["problem"].IsNull()) {
        items.Append(WithCpu(item));
      } else {
        failed_ = session_.Complain(ProblemReply(item["problem"]));
      }
    }
    session_.exit_code = failed_;
    stats = Json(Json::Object{{"items", std::move(items)}});
    return true;
  }

 private:
  bool Ask(int64_t interval_ms, Json& list) {
    const std::string path = "/v1/workspaces:stats";
    const std::pair<std::string, std::string> interval = {"interval_ms",
                                                          std::to_string(interval_ms)};
    if (workspaces_.empty()) {
      return session_.SendForAll(path, {interval, {"actual", "running"}}, list);
    }
    Json items(Json::Array{});
    for (size_t at = 0; at < workspaces_.size(); at += kNamedMax) {
      std::string names;
      for (size_t i = at; i < std::min(at + kNamedMax, workspaces_.size()); ++i) {
        names.append(i == at ? "" : ",").append(workspaces_[i]);
      }
      Json page;
      if (!session_.SendForAll(path, {interval, {"workspaces", names}}, page)) return false;
      for (const Json& item : page["items"].Items()) items.Append(item);
    }
    list = Json(Json::Object{{"items", std::move(items)}});
    return true;
  }

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
  const std::vector<std::string> workspaces_;
  std::map<std::string, Seen> seen_;
  int failed_ = kOk;
};

void ShowStats(Session& session, const StatsOptions& options) {
  std::vector<std::string> workspaces;
  for (const std::string& given : options.workspaces) {
    workspaces.push_back(BareId(given, "workspace"));
  }
  StatsReader reader(session, std::move(workspaces));
  const bool redraws = options.watch && session.IsForPeople() && isatty(STDOUT_FILENO) == 1;
  Json stats;
  if (!reader.Read(kIntervalMs, stats)) return;
  const bool is_any = !stats["items"].Items().empty();
  if (!is_any && session.exit_code != kOk) return;
  do {
    if (redraws) session.ShowText("\x1b[H\x1b[2J");
    session.Show(stats, "workspace", StatsColumns());
    if (!options.watch || !is_any) return;
    session.Pause(kWatchMs);
  } while (reader.Read(0, stats));
}

}  // namespace

void AddWorkspaceStats(CLI::App& workspace, Session& session) {
  const auto options = std::make_shared<StatsOptions>();
  CLI::App* leaf = workspace.add_subcommand(
      "stats", "show what workspaces use just now: processor, memory, processes, disk");
  leaf->add_option("workspaces", options->workspaces, "ids or names; none: all that run");
  leaf->add_flag("-w,--watch", options->watch, "go on, every two seconds");
  leaf->callback([&session, options] { ShowStats(session, *options); });
}

}  // namespace a4c_cli
