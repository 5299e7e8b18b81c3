// Which plugin calls are in flight, and on which threads. A guarded call writes here without a
// lock; the watchdog reads it from its own thread, and the crash handler from the thread that
// crashed.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "a4c/sinks.h"

namespace a4c::plugin {

class PluginRecord;

// One method of one plugin.
struct CallSite {
  CallSite(PluginRecord* owner, const char* name, Code meaning);

  PluginRecord* const plugin;
  const char* const call;  // "Apply"
  const Code on_throw;     // what a throw means: kUnknownOutcome where the effect may have happened
  const std::unique_ptr<Histogram> ok_seconds;
  // The last call that was timed took less than kQuickNs: to time each one would cost more than it
  // tells.
  mutable std::atomic<bool> quick{false};
};

// A plugin that was opened by one host. Never freed: a thread may look at its call sites at any
// time, also after the host that made them has gone.
class PluginRecord {
 public:
  // owner: whoever watches the plugin's calls.
  static PluginRecord& New(std::string name, const Runtime& runtime, const void* owner);

  PluginRecord(const PluginRecord&) = delete;
  PluginRecord& operator=(const PluginRecord&) = delete;

  // The site of that call; the same one when asked again.
  const CallSite& Site(const char* call, Code on_throw = Code::kInternal);

  const std::string& name() const { return name_; }
  const void* owner() const { return owner_; }
  Clock& clock() const { return *clock_; }
  MetricSink& metrics() const { return *metrics_; }

 private:
  PluginRecord(std::string name, const Runtime& runtime, const void* owner);

  const std::string name_;
  Clock* const clock_;
  MetricSink* const metrics_;
  const void* const owner_;
  std::mutex mutex_;
  std::deque<CallSite> sites_;
};

// Two looks at a clock cost 40 to 100 ns. Calls that take longer than kQuickNs are all timed; of
// quicker ones (memory back ends) one in kQuickTimedOneIn of a thread.
inline constexpr int64_t kQuickNs = 5'000;
inline constexpr uint32_t kQuickTimedOneIn = 16;
inline constexpr int64_t kUntimed = INT64_MIN;

// The calls of one thread, outermost first: a callback of one call may make another.
struct ThreadCalls {
  static constexpr int kDepthMax = 8;  // deeper calls are guarded, but not seen here
  struct Frame {
    std::atomic<const CallSite*> site{nullptr};
    // kUntimed, until the watchdog sees the call and writes that time.
    mutable std::atomic<int64_t> started_ns{0};
    std::atomic<int64_t> deadline_ms{0};
  };
  std::array<Frame, kDepthMax> frames;
  std::atomic<int> depth{0};
  uint32_t quick_calls = 0;  // of this thread alone
};

// This thread's calls, or null before its first one. Plain thread-local data without a constructor,
// in the static block, so that a signal handler may read it.
extern constinit thread_local ThreadCalls* current_calls [[gnu::tls_model("initial-exec")]];
ThreadCalls& CallsOfNewThread();
inline ThreadCalls& CallsOfThisThread() {
  return current_calls ? *current_calls : CallsOfNewThread();
}

// When a call of this site starts, or kUntimed if this one is not timed.
inline int64_t StartOf(const CallSite& site, const Clock& clock) {
  if (site.quick.load(std::memory_order_relaxed) &&
      ++CallsOfThisThread().quick_calls % kQuickTimedOneIn != 0) {
    return kUntimed;
  }
  return clock.MonotonicNs();
}

// Says that a call is in flight for as long as it lives.
class CallInFlight {
 public:
  CallInFlight(const CallSite& site, int64_t started_ns, int64_t deadline_ms)
      : calls_(CallsOfThisThread()), depth_(calls_.depth.load(std::memory_order_relaxed)) {
    if (depth_ < ThreadCalls::kDepthMax) {
      // In this order: who reads the site sees at least this call's times, and who reads the
      // deadline sees its start, so that no call is taken for older than it is.
      ThreadCalls::Frame& frame = calls_.frames[static_cast<size_t>(depth_)];
      frame.started_ns.store(started_ns, std::memory_order_relaxed);
      frame.deadline_ms.store(deadline_ms, std::memory_order_release);
      frame.site.store(&site, std::memory_order_release);
    }
    calls_.depth.store(depth_ + 1, std::memory_order_release);
  }
  ~CallInFlight() {
    calls_.depth.store(depth_, std::memory_order_release);
    if (depth_ < ThreadCalls::kDepthMax) {
      calls_.frames[static_cast<size_t>(depth_)].site.store(nullptr, std::memory_order_release);
    }
  }
  CallInFlight(const CallInFlight&) = delete;
  CallInFlight& operator=(const CallInFlight&) = delete;

 private:
  ThreadCalls& calls_;
  const int depth_;
};

// Calls visit(site, due_ms) for every call in flight in the process. due_ms, on the clock of the
// site's plugin: when it should have been over, its start if that is later; of a call that is not
// timed, the time when it was first visited stands for its start.
void VisitCalls(const std::function<void(const CallSite&, int64_t due_ms)>& visit);

// The innermost call on this thread, or null. Async-signal-safe.
const CallSite* CurrentCall();

}  // namespace a4c::plugin
