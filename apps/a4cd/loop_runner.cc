#include "apps/a4cd/loop_runner.h"

#include <algorithm>
#include <stop_token>
#include <utility>

#include "a4c/sinks.h"

namespace a4cd {

using a4c::Call;
using a4c::LogLevel;
using a4c::Result;
using a4c::Waiter;

struct LoopRunner::Runner {
  Runner(const a4c::Runtime& given_runtime, const LoopRunnerOptions& given_options)
      : runtime(given_runtime), options(given_options), waiter(runtime.threads.NewWaiter()) {}

  void Run(const std::stop_token& stop) {
    std::stop_callback wake(stop, [this] {
      Waiter::Lock lock(*waiter);
      waiter->NotifyAll();
    });
    int64_t error_wait_ms = options.error_wait_ms;
    while (!stop.stop_requested()) {
      const Result<int64_t> step =
          loop->Step(Call::Within(runtime.clock, options.step_timeout_ms, stop));
      if (stop.stop_requested()) return;
      Note(step);
      int64_t wait_ms = step ? *step : error_wait_ms;
      error_wait_ms =
          step ? options.error_wait_ms : std::min(error_wait_ms * 2, options.error_wait_max_ms);
      WaitFor(wait_ms, stop);
    }
  }

  void Note(const Result<int64_t>& step) {
    Waiter::Lock lock(*waiter);
    const std::string error = step ? "" : step.error().ToString();
    if (!has_stepped || error.empty() != last_error.empty()) {
      runtime.metrics.Gauge("a4c_loop_healthy", {{"loop", loop->name()}}, error.empty() ? 1 : 0);
    }
    has_stepped = true;
    if (error != last_error && !error.empty()) {
      runtime.log.Write(LogLevel::kWarning, loop->name(), "step failed", {{"error", error}});
    }
    if (error.empty() && !last_error.empty()) {
      runtime.log.Write(LogLevel::kInfo, loop->name(), "step works again", {});
    }
    last_error = error;
  }

  void WaitFor(int64_t wait_ms, const std::stop_token& stop) {
    if (wait_ms <= 0) return;
    const int64_t until_ms = runtime.clock.MonotonicMs() + wait_ms;
    Waiter::Lock lock(*waiter);
    while (!stop.stop_requested() && runtime.clock.MonotonicMs() < until_ms) waiter->Wait(until_ms);
  }

  const a4c::Runtime runtime;
  const LoopRunnerOptions options;
  std::string role;
  std::unique_ptr<a4c::Loop> loop;
  std::unique_ptr<Waiter> waiter;
  std::string last_error;  // guarded by waiter, as is the next
  bool has_stepped = false;
  std::unique_ptr<a4c::Thread> thread;  // last: joined before what it uses goes
};

LoopRunner::LoopRunner(const a4c::Runtime& runtime, const LoopRunnerOptions& options)
    : runtime_(runtime), options_(options) {}

LoopRunner::~LoopRunner() {
  Stop();
}

void LoopRunner::Start(const std::string& role, std::unique_ptr<a4c::Loop> loop) {
  if (loop == nullptr) return;
  auto runner = std::make_unique<Runner>(runtime_, options_);
  runner->role = role;
  runner->loop = std::move(loop);
  Runner* raw = runner.get();
  runner->thread = runtime_.threads.Start(raw->loop->name(),
                                          [raw](const std::stop_token& stop) { raw->Run(stop); });
  runners_.push_back(std::move(runner));
}

void LoopRunner::Stop() {
  for (const auto& runner : runners_) runner->thread->RequestStop();
  for (const auto& runner : runners_) runner->thread->Join();
  runners_.clear();
}

std::vector<LoopHealth> LoopRunner::Health() const {
  std::vector<LoopHealth> health;
  for (const auto& runner : runners_) {
    Waiter::Lock lock(*runner->waiter);
    health.push_back(
        {runner->loop->name(), runner->role, runner->last_error.empty(), runner->last_error});
  }
  return health;
}

}  // namespace a4cd
