// What the file has to hold for some kinds, and how it comes to. All within the caller's
// transaction, which may write and is committed by the caller.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "a4c/kind.h"
#include "a4c/rebuild.h"
#include "a4c/result.h"
#include "sqlite_connection.h"
#include "sqlite_layout.h"

namespace a4c::search_sqlite {

// Makes a new file ours. kInvalid: it is somebody else's database, or of a newer release.
Result<void> EnsureOurs(Connection& connection, const std::string& path);

// Makes the kinds' first generations and adds fields that are new to the live ones. kConflict: a
// field has another type, or the documents another layout: the index has to be rebuilt.
Result<void> EnsureKinds(Connection& connection, std::span<const Kind> kinds);

// The steps of Rebuild: see there.
Result<std::vector<IndexGeneration>> ListGenerations(Connection& connection, const Kind& kind);
Result<void> CreateGeneration(Connection& connection, const Kind& kind, int64_t number);
Result<void> SwapGeneration(Connection& connection, const Kind& kind, int64_t number);
Result<void> DropGeneration(Connection& connection, const Kind& kind, int64_t number);
Error NoGeneration(const Kind& kind, int64_t number);

}  // namespace a4c::search_sqlite
