// Watches the calls in flight of one host's plugins: an overdue one makes its plugin unhealthy, and
// past a second bound the process ends, because the call's arguments are borrowed: it cannot be
// left behind.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/plugin_host.h"
#include "plugin/calls.h"

namespace a4c::plugin {

struct WatchdogOptions {
  int64_t overdue_ms = 0;
  int64_t abandon_ms = 0;
  // What happens past abandon_ms, given a sentence: writes it to standard error and exits with 70.
  std::function<void(const std::string&)> abandon;
};

class Watchdog {
 public:
  Watchdog(const Runtime& runtime, WatchdogOptions options);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // From now on the plugin is watched and listed in Health(); its owner() is this watchdog. The
  // first one starts the thread. [any thread]
  void Watch(const PluginRecord& plugin);
  // Judges every call in flight. The thread does it four times in overdue_ms. [any thread]
  void Step(int64_t now_ms);
  // By name. [any thread]
  std::vector<PluginHealth> Health() const;

 private:
  void Loop(const std::stop_token& stop);
  struct Overdue {
    int64_t ms = 0;
    const char* call = "";
  };
  using OverdueByName = std::map<std::string, Overdue>;  // of each plugin, the call that is most so
  void Judge(const CallSite& site, int64_t overdue_ms, OverdueByName& overdue) const;
  void Publish(const OverdueByName& overdue);

  const Runtime runtime_;
  const WatchdogOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> reasons_;  // of each plugin watched; empty: healthy
  std::unique_ptr<Waiter> waiter_;
  std::unique_ptr<Thread> thread_;
};

// "store-foo: call Apply is overdue by 60.0 s: the process exits" on standard error, then exit 70.
[[noreturn]] void ExitAbandoned(const std::string& sentence);

}  // namespace a4c::plugin
