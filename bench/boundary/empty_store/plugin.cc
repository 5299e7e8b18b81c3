#include "a4c/plugin.h"

#include "bench/boundary/empty_store/empty_store.h"

static a4c::Result<std::unique_ptr<a4c::Store>> Make(const a4c::Config&, const a4c::Runtime&) {
  return a4c::bench::NewEmptyStore();
}

A4C_PLUGIN(Store, "empty-store", "does nothing, to be measured", a4c::kNoKeys, a4c::kNothingAbsent,
           Make);
