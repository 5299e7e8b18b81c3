// Runs one call of a plugin: no exception leaves it, it is seen while it runs, and it is timed (of
// very quick ones, one in some).
#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "a4c/call.h"
#include "a4c/result.h"
#include "plugin/calls.h"

namespace a4c::plugin {

// Observes a4c_plugin_call_seconds{plugin,call,code="ok"}.
void ObserveCall(const CallSite& site, int64_t started_ns);
// Counts a4c_plugin_call_errors_total{plugin,call,code}, and observes the call if it was timed.
void ObserveFailure(const CallSite& site, int64_t started_ns, Code code);

// "store-foo: Apply threw: why"
Error Threw(const CallSite& site, const char* why);

// "store-foo: Get answered 3 refs with 2 records". `asked` and `answered` carry their noun.
Error Malformed(const CallSite& site, const std::string& asked, const std::string& answered);
std::string Counted(size_t count, std::string_view noun);

template <typename Body>
std::invoke_result_t<Body&> Caught(const CallSite& site, Body& body) {
  try {
    return body();
  } catch (const std::exception& exception) {
    return Threw(site, exception.what());
  } catch (...) {
    return Threw(site, "something that is no std::exception");
  }
}

// The deadline counts only if it is on the host's own clock: others cannot be compared.
template <typename Body>
std::invoke_result_t<Body&> Guarded(const CallSite& site, const Call& call, Body&& body) {
  const Clock& clock = site.plugin->clock();
  const int64_t started_ns = StartOf(site, clock);
  const int64_t deadline_ms = &call.clock == &clock ? call.deadline_ms : Waiter::kForever;
  auto result = [&] {
    const CallInFlight in_flight(site, started_ns, deadline_ms);
    return Caught(site, body);
  }();
  if (!result) {
    ObserveFailure(site, started_ns, result.error().code());
  } else if (started_ns != kUntimed) {
    ObserveCall(site, started_ns);
  }
  return result;
}

// Destroys what a plugin made. It has no deadline of its own: it is due at once, as a factory is.
template <typename T>
void DestroyGuarded(PluginRecord& plugin, std::unique_ptr<T>& object) {
  const CallSite& site = plugin.Site("destructor");
  const CallInFlight in_flight(site, plugin.clock().MonotonicNs(), 0);
  object.reset();
}

// An extension of a guarded object, guarded when it is first asked for.
template <typename Extension, typename GuardedExtension>
class ExtensionGuard {
 public:
  // The guarded extension as a pointer to Extension, or null if the plugin has none.
  template <typename Interface>
  void* Of(Interface& inner, PluginRecord& plugin) {
    const std::lock_guard lock(mutex_);
    if (guarded_ == nullptr) {
      const CallSite& site = plugin.Site("As");
      const CallInFlight in_flight(site, plugin.clock().MonotonicNs(), 0);
      auto ask = [&]() -> Result<Extension*> { return inner.template As<Extension>(); };
      auto bare = Caught(site, ask);
      if (!bare || *bare == nullptr) return nullptr;
      guarded_ = std::make_unique<GuardedExtension>(**bare, plugin);
    }
    return static_cast<Extension*>(guarded_.get());
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<GuardedExtension> guarded_;
};

}  // namespace a4c::plugin
