#include "plugin/watchdog.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "a4c/sinks.h"

namespace a4c::plugin {
namespace {

constexpr int kExitStatus = 70;  // EX_SOFTWARE of sysexits.h

// "Get is overdue by 7.2 s"
std::string Sentence(const char* call, int64_t overdue_ms) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f s", static_cast<double>(overdue_ms) / 1000);
  return std::string(call) + " is overdue by " + text;
}

}  // namespace

Watchdog::Watchdog(const Runtime& runtime, WatchdogOptions options)
    : runtime_(runtime), options_(std::move(options)), waiter_(runtime_.threads.NewWaiter()) {}

Watchdog::~Watchdog() {
  if (thread_ == nullptr) return;
  thread_->RequestStop();
  {
    const Waiter::Lock lock(*waiter_);
    waiter_->NotifyAll();
  }
  thread_->Join();
}

void Watchdog::Watch(const PluginRecord& plugin) {
  const std::lock_guard lock(mutex_);
  reasons_.try_emplace(plugin.name());
  if (thread_ != nullptr) return;
  thread_ = runtime_.threads.Start("a4c-watchdog", [this](std::stop_token stop) { Loop(stop); });
}

void Watchdog::Loop(const std::stop_token& stop) {
  const int64_t period_ms =
      std::clamp<int64_t>(std::min(options_.overdue_ms, options_.abandon_ms) / 4, 10, 1000);
  while (!stop.stop_requested()) {
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    Step(now_ms);
    const Waiter::Lock lock(*waiter_);
    if (!stop.stop_requested()) waiter_->Wait(now_ms + period_ms);
  }
}

void Watchdog::Step(int64_t now_ms) {
  OverdueByName overdue;
  VisitCalls([&](const CallSite& site, int64_t due_ms) {
    if (site.plugin->owner() == this && due_ms < now_ms) Judge(site, now_ms - due_ms, overdue);
  });
  Publish(overdue);
}

void Watchdog::Judge(const CallSite& site, int64_t overdue_ms, OverdueByName& overdue) const {
  if (overdue_ms < options_.overdue_ms) return;
  if (overdue_ms >= options_.abandon_ms) {
    options_.abandon(site.plugin->name() + ": call " + Sentence(site.call, overdue_ms) +
                     ": the process exits");
  }
  Overdue& worst = overdue[site.plugin->name()];
  if (overdue_ms > worst.ms) worst = {overdue_ms, site.call};
}

void Watchdog::Publish(const OverdueByName& overdue) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, reason] : reasons_) {
    const auto found = overdue.find(name);
    const std::string now =
        found == overdue.end() ? "" : Sentence(found->second.call, found->second.ms);
    if (reason.empty() != now.empty()) {
      runtime_.metrics.Gauge("a4c_plugin_healthy", {{"plugin", name}}, now.empty() ? 1 : 0);
      runtime_.log.Write(now.empty() ? LogLevel::kInfo : LogLevel::kError, name,
                         now.empty() ? "plugin is healthy again" : "plugin is unhealthy",
                         {{"reason", now}});
    }
    reason = now;
  }
}

std::vector<PluginHealth> Watchdog::Health() const {
  const std::lock_guard lock(mutex_);
  std::vector<PluginHealth> health;
  for (const auto& [name, reason] : reasons_) health.push_back({name, reason.empty(), reason});
  return health;
}

void ExitAbandoned(const std::string& sentence) {
  const std::string line = "a4c: " + sentence + "\n";
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, line.data(), line.size());
  _exit(kExitStatus);
}

}  // namespace a4c::plugin
