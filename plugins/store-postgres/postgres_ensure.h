// Ensure: tables, columns and indexes for kinds. One session of many, in many processes, does it
// under an advisory lock; readers and writers go on meanwhile.
#pragma once

#include <span>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/kind.h"
#include "a4c/result.h"
#include "postgres_options.h"

namespace a4c::postgres {

// kConflict: a newer version of a kind is stored. kInvalid: records are in the way of a new unique
// index.
Result<void> EnsureKinds(const Call& call, std::span<const Kind> kinds, const Options& options,
                         const Runtime& runtime);

}  // namespace a4c::postgres
