// A trace of a cluster, replayed on a4cd: every task is a workspace that is created by batch submit
// when its time comes and deleted when its lifetime is over, on servers that are only pretended
// (host-memory), store-sqlite and search-memory. Are all placed, how soon, and how evenly?
//
//   trace_replay_bench [servers.csv tasks.csv] [servers at most] [scale] [tasks at most]
//
// Without files a trace of the same shape is made up. Times are divided by the scale (100,000). The
// peer is offline: the tasks that lived at the fullest moment, the largest first, each to the least
// used disk.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "a4c/json.h"
#include "apps/a4cd/jobs/job.h"
#include "bench/support/a4cd_process.h"
#include "bench/support/http_load.h"
#include "bench/support/runtime.h"
#include "bench/work/trace.h"

namespace a4c::bench {
namespace {

constexpr int64_t kTickMs = 100;
constexpr int64_t kOverlapMs = 5'000;
constexpr double kGiveUpSeconds = 1800;
constexpr size_t kBatchLines = 500;
constexpr size_t kSampleEach = 50;  // of these tasks one is looked for until a search finds it
constexpr double kWatermark = 0.9;

std::string Encoded(const std::string& query) {
  std::string text;
  for (const char c : query) {
    if (c == ' ') {
      text += "%20";
    } else if (c == '"') {
      text += "%22";
    } else {
      text += c;
    }
  }
  return text;
}

Json Jobs(const A4cdProcess& a4cd, const std::string& query, const std::string& more = "") {
  Result<Json> page = ParseJson(a4cd.Ask("GET", "/v1/jobs?limit=500&q=" + Encoded(query) + more));
  if (!page) Die("a list is no JSON");
  return *std::move(page);
}

// How long it takes from the answer to a create until a search finds it.
class Probe {
 public:
  explicit Probe(const A4cdProcess& a4cd)
      : a4cd_(a4cd),
        thread_(TheRuntime().threads.Start("probe", [this](const std::stop_token& stop) {
          while (!stop.stop_requested()) Look();
        })) {}

  void Expect(const std::string& task) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(task, Seconds());
  }
  std::vector<double> Took() const {
    const std::lock_guard lock(mutex_);
    return took_ms_;
  }

 private:
  void Look() {
    std::vector<std::pair<std::string, double>> waiting;
    {
      const std::lock_guard lock(mutex_);
      waiting = waiting_;
    }
    for (const auto& [task, since] : waiting) {
      if (Jobs(a4cd_, "labels.task:" + task)["items"].Items().empty()) continue;
      const std::lock_guard lock(mutex_);
      took_ms_.push_back((Seconds() - since) * 1e3);
      std::erase_if(waiting_, [&](const auto& one) { return one.first == task; });
    }
    Pause(20);
  }

  const A4cdProcess& a4cd_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, double>> waiting_;  // under mutex_, as is the next
  std::vector<double> took_ms_;
  const std::unique_ptr<Thread> thread_;
};

// "2026-11-22T20:45:57.948Z" as milliseconds.
int64_t TimeOf(const std::string& text) {
  std::tm parts{};
  int ms = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms) != 7) {
    Die("no time: " + text);
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<int64_t>(timegm(&parts)) * 1000 + ms;
}

class Replay {
 public:
  Replay(const Trace& trace, double scale, const A4cdProcess& a4cd)
      : trace_(trace), scale_(scale), a4cd_(a4cd), probe_(a4cd), began_(Seconds()) {
    for (const TraceTask& task : trace.tasks) tasks_[task.name] = {.task = &task};
  }

  void Run() {
    AwaitServers();
    began_ = Seconds();
    double next_look = 0;
    while (gone_ < tasks_.size()) {
      const double now = Seconds() - began_;
      if (now > kGiveUpSeconds) Die("not all tasks were placed and deleted in time");
      Send(DueLines(now));
      if (now >= next_look) {
        SeePlaced();
        SeeRefused();
        SeeGone();
        next_look = now + 1;
      }
      Pause(kTickMs);
    }
    elapsed_ = Seconds() - began_;
  }

  Json Answer(const std::string& name) const {
    const Greedy greedy = SortedGreedy(trace_.servers, fullest_, kWatermark);
    const std::vector<double> searchable = probe_.Took();
    Json line;
    line.Set("question", "the replay of a trace: " + name);
    line.Set("servers", static_cast<int64_t>(trace_.servers.size()));
    line.Set("tasks", static_cast<int64_t>(tasks_.size()));
    line.Set("placed", static_cast<int64_t>(placed_ms_.size()));
    line.Set("refused_at_first", static_cast<int64_t>(refused_.size()));
    if (!refused_.empty()) line.Set("refused_for", refused_.begin()->second);
    line.Set("tasks_per_second", static_cast<double>(tasks_.size()) / elapsed_);
    line.Set("placed_p50_ms", At(placed_ms_, 0.5)).Set("placed_p99_ms", At(placed_ms_, 0.99));
    line.Set("searchable_p50_ms", At(searchable, 0.5));
    line.Set("searchable_p99_ms", At(searchable, 0.99));
    line.Set("peak_memory_mib", a4cd_.PeakMemoryBytes() / (1 << 20));
    line.Set("most_at_once", static_cast<int64_t>(fullest_.size()));
    line.Set("disk_share", Spread(shares_)).Set("greedy_disk_share", Spread(greedy.shares));
    line.Set("greedy_unplaced", static_cast<int64_t>(greedy.unplaced));
    return line;
  }

 private:
  static Json Spread(const std::vector<double>& shares) {
    Json spread;
    spread.Set("min", At(shares, 0)).Set("p50", At(shares, 0.5)).Set("max", At(shares, 1));
    return spread;
  }

  // a4cd learns of its servers one by one after it is ready.
  void AwaitServers() {
    const double give_up = Seconds() + 60;
    for (;;) {
      const Result<Json> status = ParseJson(a4cd_.Ask("GET", "/v1/hosts"));
      if (status && (*status)["items"].Items().size() >= trace_.servers.size()) return;
      if (Seconds() > give_up) Die("a4cd does not know all servers after 60 s");
      Pause(kTickMs);
    }
  }

  struct State {
    const TraceTask* task = nullptr;
    std::string host = {};  // empty: not placed yet
    double ends = 0;        // seconds after the begin, once it is placed
    bool deleting = false;
  };

  static double At(std::vector<double> values, double quantile) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[static_cast<size_t>(static_cast<double>(values.size() - 1) * quantile)];
  }

  static std::string CreateLine(const TraceTask& task) {
    Json payload(Json::Object{{"name", task.name}, {"cpu_millis", task.cpu_millis}});
    payload.AppendMember("command", Json::Array{"sleep", "86400"});
    payload.AppendMember("memory", std::to_string(task.memory_mib) + "MiB");
    payload.AppendMember("disk", std::to_string(task.disk_mib()) + "MiB");
    return Json(Json::Object{{"type", "workspace.create"},
                             {"title", "run " + task.name},
                             {"labels", Json::Object{{"task", task.name}}},
                             {"payload", std::move(payload)}})
               .ToString() +
           "\n";
  }

  // What has to be sent by now: creates in the order of the trace, deletes of what was placed.
  std::vector<std::string> DueLines(double now) {
    std::vector<std::string> lines;
    for (; next_ < trace_.tasks.size() && trace_.tasks[next_].created_s / scale_ <= now; ++next_) {
      lines.push_back(CreateLine(trace_.tasks[next_]));
      if (next_ % kSampleEach == 0) samples_.push_back(trace_.tasks[next_].name);
    }
    std::erase_if(living_, [&](State* state) {
      if (state->ends > now) return false;
      state->deleting = true;
      lines.push_back(R"({"type":"workspace.delete","payload":{"workspace":")" + state->task->name +
                      "\"}}\n");
      return true;
    });
    return lines;
  }

  void Send(const std::vector<std::string>& lines) {
    for (size_t at = 0; at < lines.size(); at += kBatchLines) {
      std::string body;
      for (size_t i = at; i < std::min(at + kBatchLines, lines.size()); ++i) body += lines[i];
      std::istringstream results(a4cd_.Ask("POST", "/v1/jobs:batch", body));
      for (std::string line; std::getline(results, line);) {
        if (line.find("\"status\":201") == std::string::npos) Die("a line was refused: " + line);
      }
    }
    for (const std::string& task : samples_) probe_.Expect(task);
    samples_.clear();
  }

  // All pages of what a query finds since a little before the last look: times are not strictly in
  // the order in which things become searchable.
  template <typename Take>
  void Since(const std::string& query, std::string& since, const Take& take) {
    const std::string bound = since.empty() ? "" : " and finished_at >= \"" + since + "\"";
    std::string cursor;
    do {
      const Json page = Jobs(a4cd_, query + bound, "&sort=finished_at" + cursor);
      for (const Json& job : page["items"].Items()) {
        take(job);
        if (TimeOf(job["finished_at"].Text()) > latest_ms_) {
          latest_ms_ = TimeOf(job["finished_at"].Text());
        }
      }
      cursor = page["next"].IsText() ? "&cursor=" + page["next"].Text() : "";
    } while (!cursor.empty());
    if (latest_ms_ > 0) since = a4cd::TimeText(latest_ms_ - kOverlapMs);
  }

  void SeePlaced() {
    Since("type:workspace.create and state:succeeded", since_placed_, [&](const Json& job) {
      State& state = tasks_.at(job["labels"]["task"].Text());
      if (!state.host.empty()) return;
      state.host = job["host"].Text();
      state.ends = Seconds() - began_ + state.task->lifetime_s / scale_;
      placed_ms_.push_back(static_cast<double>(TimeOf(job["finished_at"].Text()) -
                                               TimeOf(job["created_at"].Text())));
      living_.push_back(&state);
    });
    if (living_.size() > fullest_.size()) NoteFullest();
    const auto lost = Jobs(a4cd_, "type:workspace.create and (state:failed or state:canceled)");
    if (!lost["items"].Items().empty()) Die("a task failed: " + lost["items"].ToString());
  }

  void NoteFullest() {
    std::map<std::string, int64_t> used;
    fullest_.clear();
    for (const State* state : living_) {
      fullest_.push_back(*state->task);
      used[state->host] += state->task->disk_mib();
    }
    shares_.clear();
    for (const TraceServer& server : trace_.servers) {
      shares_.push_back(static_cast<double>(used[server.id]) /
                        static_cast<double>(server.memory_mib));
    }
  }

  // Why a task has to wait: the counts of the reasons are those of all servers, or it is not true.
  void SeeRefused() {
    const Json page = Jobs(a4cd_, "type:workspace.create and reason:no_capacity");
    for (const Json& job : page["items"].Items()) {
      const std::string& why = job["message"].Text();
      if (!why.starts_with("none of " + std::to_string(trace_.servers.size()) + " servers fits")) {
        Die("a refusal that names other servers: " + why);
      }
      if (why.find("waiting cannot help") != std::string::npos) Die("not true: " + why);
      refused_.emplace(job["labels"]["task"].Text(), why);
    }
  }

  void SeeGone() {
    Since("type:workspace.delete and state:succeeded", since_gone_,
          [&](const Json& job) { gone_ids_.insert(job["id"].Text()); });
    gone_ = gone_ids_.size();
  }

  const Trace& trace_;
  const double scale_;
  const A4cdProcess& a4cd_;
  Probe probe_;
  double began_;
  double elapsed_ = 0;
  std::map<std::string, State> tasks_;
  size_t next_ = 0;             // of the trace, to be created
  std::vector<State*> living_;  // placed, and not to be deleted yet
  std::vector<std::string> samples_;
  std::string since_placed_;
  std::string since_gone_;
  int64_t latest_ms_ = 0;
  std::vector<double> placed_ms_;
  std::map<std::string, std::string> refused_;  // task -> why
  std::set<std::string> gone_ids_;
  size_t gone_ = 0;
  std::vector<TraceTask> fullest_;
  std::vector<double> shares_;  // of each server's disk, when most tasks lived
};

std::string ServersFile(const Trace& trace) {
  Json servers(Json::Array{});
  for (const TraceServer& server : trace.servers) {
    const int64_t bytes = server.memory_mib << 20;
    servers.Append(Json::Object{{"id", server.id},
                                {"disk_bytes", bytes},
                                {"memory_bytes", bytes},
                                {"cpu_millis", server.cpu_millis}});
  }
  return Json(Json::Object{{"servers", std::move(servers)}}).ToString();
}

Json Run(const std::string& name, const Trace& trace, double scale) {
  const A4cdProcess a4cd(
      "store: {plugin: store-sqlite, config: {path: @/a4cd.db}}\n"
      "search: {plugin: search-memory}\n"
      "hosts: {plugin: host-memory, config: {servers_file: @/servers.json}}\n"
      "work: {workers: 16}\n",
      {{"servers.json", ServersFile(trace)}});
  Replay replay(trace, scale, a4cd);
  replay.Run();
  return replay.Answer(name);
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const bool files = argc > 2 && std::string(argv[1]).ends_with(".csv");
  const int first = files ? 3 : 1;
  const long servers_max = Argument(argc, argv, first, 1523);
  const auto scale = static_cast<double>(Argument(argc, argv, first + 1, 100'000));
  const auto tasks_max = static_cast<size_t>(Argument(argc, argv, first + 2, 8152));
  Trace trace = files ? ReadTrace(argv[1], argv[2])
                      : MakeTrace(1, static_cast<size_t>(servers_max), tasks_max);
  trace.servers.resize(std::min(trace.servers.size(), static_cast<size_t>(servers_max)));
  trace.tasks.resize(std::min(trace.tasks.size(), tasks_max));
  std::printf("%s\n", Run(files ? argv[2] : "made up", trace, scale).ToString().c_str());
  return 0;
}
