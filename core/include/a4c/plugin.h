// For plugin authors: how a shared library offers a back end.
//
//   // plugins/store-mine/plugin.cc
//   static constexpr a4c::ConfigKey kKeys[] = {
//       {"path", a4c::ConfigType::kString, nullptr, "the file"}};
//   static a4c::Result<std::unique_ptr<a4c::Store>> Make(const a4c::Config& config,
//                                                        const a4c::Runtime& runtime) {
//     return mine::OpenStore(config.String("path"), runtime);
//   }
//   A4C_PLUGIN(Store, "store-mine", "keeps records in one file", kKeys, a4c::kNothingAbsent, Make);
//
// The library exports one symbol, the descriptor a4c_plugin, which is read before anything is made.
// Its first field is the ABI tag of the interface: a hash of the interface's declarations, the
// standard library's ABI and the language standard. The host refuses another tag, naming both; it
// finds the tag as bytes in the file before opening it, so that an old plugin is refused with a
// reason and not with an undefined symbol.
//
// Rules: a plugin may throw (the host turns it into Code::kInternal), starts threads only through
// Runtime::threads, logs only through Runtime::log, and is never unloaded. It is trusted code: it
// runs with all rights of the process.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "a4c/abi.h"
#include "a4c/bus.h"
#include "a4c/clock.h"
#include "a4c/config.h"
#include "a4c/host_provider.h"
#include "a4c/result.h"
#include "a4c/search_index.h"
#include "a4c/store.h"

namespace a4c {

template <typename Interface>
using PluginFactory = Result<std::unique_ptr<Interface>> (*)(const Config& config,
                                                             const Runtime& runtime);

// What this back end cannot do, of the abilities that conformance would otherwise test. An ability
// that is named here is tested as absent. The names are listed in
// tests/conformance/<kind>/README.md, installed as share/a4c/conformance/<kind>/README.md.
struct AbsentCapability {
  const char* name;
  const char* reason;
};
inline constexpr std::span<const AbsentCapability> kNothingAbsent{};
// For a plugin without settings.
inline constexpr std::span<const ConfigKey> kNoKeys{};

struct PluginDescriptor {
  const char* abi_tag;  // first for ever: "A4C_ABI_TAG=store/5d41402a/cxx11/20"
  const char* kind;     // "Store", "Bus", "SearchIndex", "HostProvider"
  const char* name;     // "store-postgres"
  const char* version;
  const char* summary;
  const ConfigKey* keys;
  size_t key_count;
  const AbsentCapability* absent;
  size_t absent_count;
  void (*factory)();  // a PluginFactory<kind>, cast back by the host after the tag was compared
};

}  // namespace a4c

// With A4C_STATIC_PLUGINS the symbol carries the plugin's name and is listed in a generated table.
#ifndef A4C_PLUGIN_SYMBOL
#define A4C_PLUGIN_SYMBOL a4c_plugin
#endif
#ifndef A4C_PLUGIN_VERSION
#define A4C_PLUGIN_VERSION "0.0.0"
#endif

#define A4C_PLUGIN(Interface, name, summary, keys, absent, make)                                   \
  static constexpr std::span<const a4c::ConfigKey> a4c_plugin_keys_{keys};                         \
  static constexpr std::span<const a4c::AbsentCapability> a4c_plugin_absent_{absent};              \
  extern "C" __attribute__((visibility("default"))) const a4c::PluginDescriptor A4C_PLUGIN_SYMBOL; \
  const a4c::PluginDescriptor A4C_PLUGIN_SYMBOL = {                                                \
      A4C_ABI_TAG_##Interface,                                                                     \
      #Interface,                                                                                  \
      name,                                                                                        \
      A4C_PLUGIN_VERSION,                                                                          \
      summary,                                                                                     \
      a4c_plugin_keys_.data(),                                                                     \
      a4c_plugin_keys_.size(),                                                                     \
      a4c_plugin_absent_.data(),                                                                   \
      a4c_plugin_absent_.size(),                                                                   \
      reinterpret_cast<void (*)()>(static_cast<a4c::PluginFactory<a4c::Interface>>(make))}
