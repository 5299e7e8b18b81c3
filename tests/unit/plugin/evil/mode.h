// What an evil plugin does instead of its work, by its config key `mode`.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "a4c/call.h"
#include "a4c/config.h"

namespace evil {

inline constexpr a4c::ConfigKey kKeys[] = {
    {"mode", a4c::ConfigType::kString, "", "what it does wrong"},
    {"call", a4c::ConfigType::kString, "", "in which call"}};

// No exception type that the host knows, nor derived from one.
struct Oddity {};

inline int Deepen(int depth) {
  volatile char page[4096];
  page[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : Deepen(depth + 1) + page[0];
}

class Mode {
 public:
  Mode(const a4c::Config& config, const a4c::Runtime& runtime)
      : mode_(config.String("mode")), call_(config.String("call")), runtime_(runtime) {}

  bool Is(const char* mode, const char* call) const { return mode_ == mode && call_ == call; }

  // Called first in every call.
  void Act(const char* call) const {
    if (call_ != call) return;
    if (mode_ == "throw") throw std::runtime_error("the disk is on fire");
    if (mode_ == "throw_oddity") throw Oddity();
    if (mode_ == "segfault") *nowhere_ = 1;
    if (mode_ == "abort") std::abort();
    if (mode_ == "overflow") Deepen(0);
    if (mode_ == "slow") TakeAMillisecond();
  }
  // Until the call is asked to stop, and no sooner.
  void Hang(const char* call, const a4c::Call& arguments) const {
    if (!Is("hang", call)) return;
    const auto waiter = runtime_.threads.NewWaiter();
    const std::stop_callback wake(arguments.stop, [&] {
      const a4c::Waiter::Lock lock(*waiter);
      waiter->NotifyAll();
    });
    const a4c::Waiter::Lock lock(*waiter);
    while (!arguments.Stopping()) waiter->Wait(a4c::Waiter::kForever);
  }

 private:
  void TakeAMillisecond() const {
    const auto waiter = runtime_.threads.NewWaiter();
    const int64_t end_ms = runtime_.clock.MonotonicMs() + 2;
    const a4c::Waiter::Lock lock(*waiter);
    while (runtime_.clock.MonotonicMs() < end_ms) waiter->Wait(end_ms);
  }

  std::string mode_;
  std::string call_;
  const a4c::Runtime runtime_;
  volatile int* volatile nowhere_ = reinterpret_cast<int*>(64);
};

}  // namespace evil
