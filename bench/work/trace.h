// A trace of tasks that come and go on a cluster of servers: read from CSV files with the columns
// of the GPU cluster trace of 2023 (github.com/alibaba/clusterdata), or made up in the same shape.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace a4c::bench {

struct TraceServer {
  std::string id;
  int64_t cpu_millis = 0;
  int64_t memory_mib = 0;  // and as much disk
};

struct TraceTask {
  std::string name;
  int64_t cpu_millis = 0;
  int64_t memory_mib = 0;
  double created_s = 0;
  double lifetime_s = 0;

  int64_t disk_mib() const { return memory_mib / 2 > 0 ? memory_mib / 2 : 1; }
};

struct Trace {
  std::vector<TraceServer> servers;
  std::vector<TraceTask> tasks;  // by created_s
};

// Columns are found by the names in the first line; dies naming the file and what it lacks.
Trace ReadTrace(const std::string& servers_csv, const std::string& tasks_csv);
// Four fifths of the tasks come in the last fifth of the time, most are gone soon, a few stay long.
Trace MakeTrace(uint64_t seed, size_t servers, size_t tasks);

// Offline: living tasks, the largest first, each to the server whose disk is the least used and on
// which it fits. The share of each server's disk that is used then; how many tasks fit nowhere.
struct Greedy {
  std::vector<double> shares;
  size_t unplaced = 0;
};
Greedy SortedGreedy(const std::vector<TraceServer>& servers, std::vector<TraceTask> tasks,
                    double watermark);

}  // namespace a4c::bench
