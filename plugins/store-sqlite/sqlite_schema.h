// What the file holds: the kinds, as data in a4c_kind and as tables; and how that changes.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "a4c/batch_rules.h"
#include "sqlite_connection.h"
#include "sqlite_table.h"

namespace a4c::sqlite {

struct Schema {
  Kinds kinds;
  std::map<std::string, Table, std::less<>> tables;

  const Table& TableOf(std::string_view kind) const { return tables.find(kind)->second; }
};

// Makes a new file ours and reads the kinds of an old one. kInvalid: it is somebody else's
// database, or of a newer release.
Result<std::shared_ptr<const Schema>> OpenSchema(Connection& connection, const std::string& path);

// The schema with these kinds made or migrated, in one transaction; the one given if there was
// nothing to do. kInvalid and kConflict: see CheckUpgrade; kInvalid also if records do not fit.
Result<std::shared_ptr<const Schema>> Migrate(Connection& connection,
                                              const std::shared_ptr<const Schema>& schema,
                                              std::span<const Kind> kinds);

// The store's time as it was last kept, or 0: what an opened store goes on from.
Result<int64_t> KeptTime(Connection& connection);
Result<void> KeepTime(Connection& writer, int64_t time_ms);

}  // namespace a4c::sqlite
