// Runs loops (a4c::Loop), each on a thread of its own, until told to stop. Whether the last step of
// one succeeded is a4c_loop_healthy, from its first step on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/collection.h"

namespace a4cd {

struct LoopRunnerOptions {
  int64_t step_timeout_ms = 30'000;  // deadline of one step
  int64_t error_wait_ms = 1'000;     // after a step that failed; doubles up to error_wait_max_ms
  int64_t error_wait_max_ms = 15'000;
};

struct LoopHealth {
  std::string name;
  std::string role;
  bool healthy = true;
  std::string error;  // of the last step
};

// [one thread starts and stops; Health from any]
class LoopRunner {
 public:
  LoopRunner(const a4c::Runtime& runtime, const LoopRunnerOptions& options = {});
  ~LoopRunner();

  // A null loop is ignored.
  void Start(const std::string& role, std::unique_ptr<a4c::Loop> loop);
  // Asks all loops to stop, then waits until they have.
  void Stop();
  std::vector<LoopHealth> Health() const;

 private:
  struct Runner;
  const a4c::Runtime runtime_;
  const LoopRunnerOptions options_;
  std::vector<std::unique_ptr<Runner>> runners_;
};

}  // namespace a4cd
