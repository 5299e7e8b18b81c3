#include "a4c/plugin.h"

#include "a4c/memory.h"

namespace {

constexpr std::span<const a4c::ConfigKey> kNoKeys{};

constexpr a4c::AbsentCapability kAbsent[] = {
    {"shared_instances", "each instance is an index of its own"},
    {"durable", "a restart is empty: the index is rebuilt from the store"}};

a4c::Result<std::unique_ptr<a4c::SearchIndex>> Make(const a4c::Config&,
                                                    const a4c::Runtime& runtime) {
  return a4c::NewMemorySearchIndex(runtime);
}

}  // namespace

A4C_PLUGIN(SearchIndex, "search-memory", "searches in memory, by reading every document", kNoKeys,
           kAbsent, Make);
