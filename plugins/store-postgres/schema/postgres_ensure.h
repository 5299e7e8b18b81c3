// Ensure: tables, columns and indexes for kinds. One session of many, in many processes, does it
// under an advisory lock; readers and writers go on meanwhile.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/kind.h"
#include "a4c/result.h"
#include "session/postgres_connector.h"
#include "session/postgres_options.h"

namespace a4c::postgres {

// kConflict: a newer version of a kind is stored. kInvalid: records are in the way of a new unique
// index. `owner` connects as the role that owns the tables.
Result<void> EnsureKinds(const Call& call, std::span<const Kind> kinds, Connector& owner,
                         const Options& options, const Runtime& runtime);

// The statements that it would run now.
Result<std::vector<std::string>> PlanKinds(const Call& call, std::span<const Kind> kinds,
                                           Connector& owner, const Options& options,
                                           const Runtime& runtime);

}  // namespace a4c::postgres
