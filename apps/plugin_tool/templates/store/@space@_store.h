// Open@Type@Store: a store that keeps its records in memory, until you write where they go.
#pragma once

#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/store.h"

namespace @space@_store {

// The runtime outlives the store. An Error says why it cannot be opened, and what to do.
a4c::Result<std::unique_ptr<a4c::Store>> Open@Type@Store(const std::string& title,
                                                         const a4c::Runtime& runtime);

}  // namespace @space@_store
