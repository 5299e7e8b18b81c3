#include "plugin/guard.h"

#include <array>

#include "a4c/sinks.h"

namespace a4c::plugin {

void ObserveCall(const CallSite& site, int64_t started_ns, std::string_view code) {
  const PluginRecord& plugin = *site.plugin;
  const std::array<MetricLabel, 3> labels = {
      {{"plugin", plugin.name()}, {"call", site.call}, {"code", code}}};
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
