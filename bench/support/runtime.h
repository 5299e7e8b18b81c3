// What every benchmark uses: the system's runtime without logs and metrics, medians, a way to give
// up, what the environment says, a directory.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "a4c/sinks.h"

namespace a4c::bench {

inline const Runtime& TheRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

inline double Seconds() {
  return static_cast<double>(TheRuntime().clock.MonotonicNs()) * 1e-9;
}

inline long Argument(int argc, char** argv, int index, long fallback) {
  return argc > index ? std::strtol(argv[index], nullptr, 10) : fallback;
}

inline void Pause(int64_t wait_ms) {
  const auto waiter = TheRuntime().threads.NewWaiter();
  const Waiter::Lock lock(*waiter);
  waiter->Wait(TheRuntime().clock.MonotonicMs() + wait_ms);
}

inline double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

inline double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(static_cast<double>(values.size()) * share))];
}

[[noreturn]] inline void Die(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T OrDie(Result<T> result) {
  if (!result) Die(result.error().ToString());
  return *std::move(result);
}

inline std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) Die(std::string(name) + " is not set: eval \"$(dev/stack/stack env)\"");
  return value;
}

// A new one, which goes with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "a4c-bench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) Die("no temporary directory can be made");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace a4c::bench
