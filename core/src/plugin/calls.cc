#include "plugin/calls.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "plugin/crash_handler.h"

namespace a4c::plugin {
namespace {

// Everything here is never destroyed: threads may outlive main.
struct Registry {
  std::mutex mutex;
  std::vector<ThreadCalls*> threads;
  std::vector<ThreadCalls*> free;  // of threads that have ended
  std::vector<PluginRecord*> records;
};

Registry& TheRegistry() {
  static auto* registry = new Registry;
  return *registry;
}

// Gives this thread's entry back when the thread ends.
struct Registration {
  ~Registration() {
    LeaveAlternateStack();
    Registry& registry = TheRegistry();
    const std::lock_guard lock(registry.mutex);
    registry.free.push_back(std::exchange(current_calls, nullptr));
  }
};

// The call's start. Of an untimed one: now, and the same at the next visit.
int64_t StartSeen(const ThreadCalls::Frame& frame, const CallSite& site) {
  int64_t started_ns = frame.started_ns.load(std::memory_order_relaxed);
  if (started_ns != kUntimed) return started_ns;
  const int64_t now_ns = site.plugin->clock().MonotonicNs();
  // If it fails, the frame has a later call by now, with a start of its own.
  return frame.started_ns.compare_exchange_strong(started_ns, now_ns) ? now_ns : started_ns;
}

}  // namespace

constinit thread_local ThreadCalls* current_calls [[gnu::tls_model("initial-exec")]] = nullptr;

ThreadCalls& CallsOfNewThread() {
  Registry& registry = TheRegistry();
  {
    const std::lock_guard lock(registry.mutex);
    if (registry.free.empty()) {
      registry.threads.push_back(new ThreadCalls);
      current_calls = registry.threads.back();
    } else {
      current_calls = registry.free.back();
      registry.free.pop_back();
    }
  }
  thread_local const Registration registration;
  EnterAlternateStack();
  return *current_calls;
}

void VisitCalls(const std::function<void(const CallSite&, int64_t due_ms)>& visit) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  for (const ThreadCalls* thread : registry.threads) {
    for (const ThreadCalls::Frame& frame : thread->frames) {
      const CallSite* site = frame.site.load(std::memory_order_acquire);
      if (site == nullptr) continue;
      const int64_t deadline_ms = frame.deadline_ms.load(std::memory_order_acquire);
      const int64_t started_ms = StartSeen(frame, *site) / 1'000'000;
      visit(*site, std::max(deadline_ms, started_ms));
    }
  }
}

const CallSite* CurrentCall() {
  const ThreadCalls* calls = current_calls;
  if (calls == nullptr) return nullptr;
  const int depth = std::min(calls->depth.load(std::memory_order_acquire), ThreadCalls::kDepthMax);
  if (depth == 0) return nullptr;
  return calls->frames[static_cast<size_t>(depth - 1)].site.load(std::memory_order_acquire);
}

CallSite::CallSite(PluginRecord* owner, const char* name, Code meaning)
    : plugin(owner),
      call(name),
      on_throw(meaning),
      ok_seconds(owner->metrics().NewHistogram(
          "a4c_plugin_call_seconds",
          std::array<MetricLabel, 3>{
              {{"plugin", owner->name()}, {"call", name}, {"code", "ok"}}})) {}

PluginRecord::PluginRecord(std::string name, const Runtime& runtime, const void* owner)
    : name_(std::move(name)), clock_(&runtime.clock), metrics_(&runtime.metrics), owner_(owner) {}

PluginRecord& PluginRecord::New(std::string name, const Runtime& runtime, const void* owner) {
  auto* record = new PluginRecord(std::move(name), runtime, owner);
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.records.push_back(record);
  return *record;
}

const CallSite& PluginRecord::Site(const char* call, Code on_throw) {
  const std::lock_guard lock(mutex_);
  for (const CallSite& site : sites_) {
    if (std::string_view(site.call) == call) return site;
  }
  return sites_.emplace_back(this, call, on_throw);
}

}  // namespace a4c::plugin
