// For applications: finds, checks, loads and watches plugins.
//
//   PluginHost plugins(runtime, {.directories = {"/usr/lib/a4c/plugins"}});
//   A4C_TRY(std::unique_ptr<Store> store, plugins.MakeStore("store-sqlite", config));
//
// What comes out is guarded. A throw becomes an Error that names plugin and call: Code::kInternal,
// or kUnknownOutcome where the effect may have happened (Store::Apply, Leases, and what changes a
// host); so does an answer that makes no sense, such as fewer results than there were items. Calls
// are timed (a4c_plugin_call_seconds{plugin,call,code}; of those below 5 us one in sixteen), errors
// counted (a4c_plugin_call_errors_total), an overdue call marks the plugin unhealthy
// (a4c_plugin_healthy{plugin}), and past a second bound the process exits naming plugin and call.
// Deadlines are judged on the Runtime's clock; a call on another clock is never overdue.
// As<T>() gives guarded extensions, of the types that core knows.
// Libraries are never unloaded. The host outlives everything that it made. [any thread]
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/plugin.h"

namespace a4c {

struct PluginHostOptions {
  // Searched in this order for lib-less names such as "store-sqlite.so". A name with a slash is a
  // path.
  std::vector<std::string> directories;
  int64_t overdue_ms = 5'000;   // past its call's deadline by this much: unhealthy
  int64_t abandon_ms = 60'000;  // by this much: the process exits with status 70
  bool check_ownership = true;  // the file's owner is root or us, no parent is writable by others
};

struct PluginInfo {
  std::string path;  // "(static)" if linked in
  std::string kind;
  std::string name;
  std::string version;
  std::string summary;
  std::string abi_tag;
  std::span<const ConfigKey> keys;
  std::span<const AbsentCapability> absent;
};

struct PluginHealth {
  std::string name;
  bool healthy = true;
  std::string reason;  // "Get is overdue by 7.2 s"
};

class A4C_API PluginHost {
 public:
  PluginHost(const Runtime& runtime, PluginHostOptions options);
  ~PluginHost();

  // Opens and checks a plugin without making anything. kNotFound lists every path tried; kInvalid
  // says why it was refused: no descriptor, another ABI tag (both named), unsafe owner or mode.
  Result<PluginInfo> Inspect(const std::string& name);
  // Every plugin found in the directories; one that is refused has its reason in `summary` and no
  // kind.
  std::vector<PluginInfo> List();

  Result<std::unique_ptr<Store>> MakeStore(const std::string& name, const ConfigValue& config);
  Result<std::unique_ptr<Bus>> MakeBus(const std::string& name, const ConfigValue& config);
  Result<std::unique_ptr<SearchIndex>> MakeSearchIndex(const std::string& name,
                                                       const ConfigValue& config);
  Result<std::unique_ptr<HostProvider>> MakeHostProvider(const std::string& name,
                                                         const ConfigValue& config);
  std::vector<PluginHealth> Health() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Makes a plugin that is linked into the program known to every host, before the files. Called by
// what a4c_plugin() generates with A4C_STATIC_PLUGINS, before main.
A4C_API void AddStaticPlugin(const PluginDescriptor& descriptor);

// "SIGSEGV in plugin store-foo, call Apply" on standard error, then what the signal did before: by
// default the process dies of it. For SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT. Call it early in
// main: threads that call plugins later get a signal stack of their own, so that overflows are
// named too.
A4C_API void InstallCrashHandler();

}  // namespace a4c
