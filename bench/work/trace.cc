#include "bench/work/trace.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

#include "bench/support/runtime.h"

namespace a4c::bench {
namespace {

std::vector<std::string> Cells(std::string line) {
  if (line.ends_with('\r')) line.pop_back();
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  if (line.ends_with(',')) cells.emplace_back();
  return cells;
}

// The cells of these columns, line by line.
template <size_t kColumns>
std::vector<std::array<std::string, kColumns>> Read(
    const std::string& path, const std::array<const char*, kColumns>& columns) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) Die("cannot read " + path);
  const std::vector<std::string> names = Cells(line);
  std::array<size_t, kColumns> places;
  for (size_t i = 0; i < kColumns; ++i) {
    const auto found = std::ranges::find(names, columns[i]);
    if (found == names.end()) Die(path + " has no column " + columns[i]);
    places[i] = static_cast<size_t>(found - names.begin());
  }
  std::vector<std::array<std::string, kColumns>> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> cells = Cells(line);
    if (cells.size() != names.size()) Die("a line of another length: " + line);
    auto& row = rows.emplace_back();
    for (size_t i = 0; i < kColumns; ++i) row[i] = cells[places[i]];
  }
  return rows;
}

int64_t Whole(const std::string& cell) {
  return std::max<int64_t>(std::strtoll(cell.c_str(), nullptr, 10), 1);
}

void Sort(Trace& trace) {
  std::ranges::stable_sort(trace.tasks, {}, &TraceTask::created_s);
}

struct Room {
  const TraceServer* server;
  int64_t disk = 0;
  int64_t memory = 0;
  int64_t cpu = 0;

  bool Fits(const TraceTask& task, double watermark) const {
    const auto disk_max = static_cast<double>(server->memory_mib) * watermark;
    return static_cast<double>(disk + task.disk_mib()) <= disk_max &&
           memory + task.memory_mib <= server->memory_mib &&
           cpu + task.cpu_millis <= server->cpu_millis;
  }
  double ShareWith(int64_t more) const {
    return static_cast<double>(disk + more) / static_cast<double>(server->memory_mib);
  }
};

}  // namespace

Trace ReadTrace(const std::string& servers_csv, const std::string& tasks_csv) {
  Trace trace;
  for (const auto& [id, cpu, memory] : Read<3>(servers_csv, {"sn", "cpu_milli", "memory_mib"})) {
    trace.servers.push_back({id, Whole(cpu), Whole(memory)});
  }
  for (const auto& [name, cpu, memory, created, deleted] :
       Read<5>(tasks_csv, {"name", "cpu_milli", "memory_mib", "creation_time", "deletion_time"})) {
    const double created_s = std::strtod(created.c_str(), nullptr);
    const double lifetime_s = std::max(std::strtod(deleted.c_str(), nullptr) - created_s, 0.0);
    trace.tasks.push_back({name, Whole(cpu), Whole(memory), created_s, lifetime_s});
  }
  Sort(trace);
  return trace;
}

Trace MakeTrace(uint64_t seed, size_t servers, size_t tasks) {
  const std::array<TraceServer, 4> shapes = {{{"", 96'000, 393'216},
                                              {"", 104'000, 524'288},
                                              {"", 32'000, 262'144},
                                              {"", 128'000, 786'432}}};
  constexpr double kEnd = 12'900'000;
  std::mt19937_64 random(seed);
  std::discrete_distribution<size_t> shape{50, 33, 13, 4};
  std::lognormal_distribution<double> memory_gib(std::log(24.0), 1.0);
  std::lognormal_distribution<double> lifetime(std::log(2000.0), 2.0);
  std::uniform_real_distribution<double> share(0, 1);
  Trace trace;
  for (size_t i = 0; i < servers; ++i) {
    trace.servers.push_back(shapes[shape(random)]);
    trace.servers.back().id = "server-" + std::to_string(i);
  }
  for (size_t i = 0; i < tasks; ++i) {
    const bool late = share(random) < 0.8;
    TraceTask task{.name = "task-" + std::to_string(i)};
    task.memory_mib = std::min<int64_t>(std::llround(memory_gib(random) * 1024) + 1, 262'144);
    task.cpu_millis =
        std::min<int64_t>(1000 * std::max<int64_t>(1, task.memory_mib / 4096), 32'000);
    task.created_s = kEnd * (late ? 0.8 + 0.2 * share(random) : 0.8 * share(random));
    task.lifetime_s = lifetime(random);
    trace.tasks.push_back(task);
  }
  Sort(trace);
  return trace;
}

Greedy SortedGreedy(const std::vector<TraceServer>& servers, std::vector<TraceTask> tasks,
                    double watermark) {
  std::vector<Room> rooms;
  for (const TraceServer& server : servers) rooms.push_back({.server = &server});
  std::ranges::sort(tasks, std::greater{}, &TraceTask::memory_mib);
  Greedy greedy;
  for (const TraceTask& task : tasks) {
    Room* best = nullptr;
    for (Room& room : rooms) {
      if (!room.Fits(task, watermark)) continue;
      if (best == nullptr || room.ShareWith(task.disk_mib()) < best->ShareWith(task.disk_mib())) {
        best = &room;
      }
    }
    if (best == nullptr) {
      ++greedy.unplaced;
      continue;
    }
    best->disk += task.disk_mib();
    best->memory += task.memory_mib;
    best->cpu += task.cpu_millis;
  }
  for (const Room& room : rooms) greedy.shares.push_back(room.ShareWith(0));
  return greedy;
}

}  // namespace a4c::bench
