// Registration and settings; what the store does is in @space@_store.cc.
#include "a4c/plugin.h"

#include "@space@_store.h"

namespace {

constexpr a4c::ConfigKey kKeys[] = {
    {"title", a4c::ConfigType::kString, "@plugin@", "an example of a setting: shown in the log"}};

// What this store cannot do. Conformance tests that it is absent, and leaves out what builds on it:
// remove a line when the store can.
constexpr a4c::AbsentCapability kAbsent[] = {
    {"shared_instances", "each instance has records of its own"},
    {"durable", "records are kept in memory alone"}};

a4c::Result<std::unique_ptr<a4c::Store>> Make(const a4c::Config& config,
                                              const a4c::Runtime& runtime) {
  return @space@_store::Open@Type@Store(config.String("title"), runtime);
}

}  // namespace

A4C_PLUGIN(Store, "@plugin@", "a store to start from", kKeys, kAbsent, Make);
