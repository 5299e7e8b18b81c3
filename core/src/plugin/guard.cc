#include "plugin/guard.h"

#include <array>

#include "a4c/sinks.h"

namespace a4c::plugin {

void ObserveCall(const CallSite& site, int64_t started_ns) {
  const int64_t taken_ns = site.plugin->clock().MonotonicNs() - started_ns;
  site.ok_seconds->Observe(static_cast<double>(taken_ns) * 1e-9);
  const bool quick = taken_ns < kQuickNs;
  // Written only when it changes: all threads read it in each call.
  if (site.quick.load(std::memory_order_relaxed) != quick) site.quick = quick;
}

void ObserveFailure(const CallSite& site, int64_t started_ns, Code code) {
  PluginRecord& plugin = *site.plugin;
  const std::array<MetricLabel, 3> labels = {
      {{"plugin", plugin.name()}, {"call", site.call}, {"code", CodeName(code)}}};
  plugin.metrics().Count("a4c_plugin_call_errors_total", labels, 1);
  if (started_ns == kUntimed) return;
  const int64_t taken_ns = plugin.clock().MonotonicNs() - started_ns;
  plugin.metrics().Observe("a4c_plugin_call_seconds", labels, static_cast<double>(taken_ns) * 1e-9);
}

Error Threw(const CallSite& site, const char* why) {
  return Error(site.on_throw,
               site.plugin->name() + ": " + site.call + " threw an exception: " + why,
               "a bug of the plugin: report it to its author");
}

Error Malformed(const CallSite& site, const std::string& asked, const std::string& answered) {
  return Error(site.on_throw,
               site.plugin->name() + ": " + site.call + " answered " + asked + " with " + answered,
               "a bug of the plugin: report it to its author");
}

std::string Counted(size_t count, std::string_view noun) {
  const std::string_view plural = noun.ends_with("ch") ? "es" : "s";
  return std::to_string(count) + " " + std::string(noun) + std::string(count == 1 ? "" : plural);
}

}  // namespace a4c::plugin
