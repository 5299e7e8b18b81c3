#include "a4c/plugin.h"

#include "a4c/memory.h"

static constexpr a4c::AbsentCapability kAbsent[] = {
    {"shared_instances", "each instance has records of its own"},
    {"durable", "records are kept in memory alone: a restart is empty"}};

static a4c::Result<std::unique_ptr<a4c::Store>> Make(const a4c::Config&,
                                                     const a4c::Runtime& runtime) {
  return a4c::NewMemoryStore(runtime);
}

A4C_PLUGIN(Store, "store-memory", "keeps records in memory, for tests and a first look",
           std::span<const a4c::ConfigKey>(), kAbsent, Make);
