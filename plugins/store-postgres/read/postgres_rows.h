// Rows on their way in and out: statements that write many rows, and what reading them gave.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/batch_rules.h"
#include "schema/postgres_table.h"
#include "session/postgres_session.h"

namespace a4c::postgres {

inline constexpr const char* kTimeSql =
    "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

using Changes = std::vector<const RowChange*>;

// Changes of rows that are there, each with the part that its row lies in; 0 where there are none.
struct Placed {
  Changes changes = {};
  std::vector<int64_t> parts = {};

  void Add(const RowChange& change, int64_t part) {
    changes.push_back(&change);
    parts.push_back(part);
  }
};

// Rows that are there, by their places.
struct Places {
  std::vector<std::string> ctids = {};
  std::vector<int64_t> parts = {};
};

// Sorts the changes by key, so that all who write lock rows in one order.
void SortByKey(Changes& changes);

Statement InsertOf(const Table& table, const Changes& changes);
Statement UpdateOf(const Table& table, const Placed& rows);
Statement QuietOf(const Table& table, const Placed& rows);
Statement DeleteOf(const Table& table, const Places& rows);
// lock_sql or get_sql of these keys.
Statement KeyedBy(const std::string& sql, const std::vector<const Key*>& keys);

// Whether the statements of these answers, one each, have written as many rows as they were to.
// Otherwise a success would be a lie.
bool AllWritten(std::span<const Rows> answers, std::span<const int64_t> counts);

// The quiet values that stand from this column on.
FieldValues QuietFrom(const Table& table, const Rows& rows, int row, int column);

}  // namespace a4c::postgres
