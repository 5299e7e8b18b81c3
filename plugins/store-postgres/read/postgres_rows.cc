#include "read/postgres_rows.h"

#include <algorithm>
#include <utility>

namespace a4c::postgres {
namespace {

const Scalar& ValueOf(const FieldValues& values, const Column& column) {
  static const Scalar kAbsent;
  const auto found = values.find(column.field.name);
  return found == values.end() ? kAbsent : found->second;
}

template <typename Add>
std::string ArrayOf(const SqlType& type, const Changes& changes, Add add) {
  ArrayBuilder array(type);
  for (const RowChange* change : changes) add(array, *change);
  return std::move(array).Finish();
}

void AddKeys(const Changes& changes, Statement& statement) {
  statement.params.push_back(ArrayOf(kText, changes, [](ArrayBuilder& array, const RowChange& row) {
    array.AddBytes(row.ref->key.scope);
  }));
  statement.params.push_back(ArrayOf(kText, changes, [](ArrayBuilder& array, const RowChange& row) {
    array.AddBytes(row.ref->key.id);
  }));
}

void AddQuiet(const Table& table, const Changes& changes, Statement& statement) {
  for (const Column& column : table.quiet) {
    statement.params.push_back(
        ArrayOf(column.type, changes, [&](ArrayBuilder& array, const RowChange& row) {
          array.AddScalar(ValueOf(row.row.quiet, column));
        }));
  }
}

void AddParts(const Table& table, const std::vector<int64_t>& parts, Statement& statement) {
  if (!table.parted) return;
  ArrayBuilder array(kBigint);
  for (const int64_t part : parts) array.AddInt(part);
  statement.params.push_back(std::move(array).Finish());
}

Statement WholeRows(const std::string& sql, const Table& table, const Changes& changes) {
  Statement statement{sql, {}};
  AddKeys(changes, statement);
  statement.params.push_back(
      ArrayOf(kBigint, changes,
              [](ArrayBuilder& array, const RowChange& row) { array.AddInt(row.row.rev); }));
  statement.params.push_back(
      ArrayOf(kBoolean, changes,
              [](ArrayBuilder& array, const RowChange& row) { array.AddBool(row.row.tombstone); }));
  statement.params.push_back(
      ArrayOf(kJsonType, changes,
              [](ArrayBuilder& array, const RowChange& row) { array.AddBytes(*row.body); }));
  for (const Column& column : table.indexed) {
    statement.params.push_back(
        ArrayOf(column.type, changes, [&](ArrayBuilder& array, const RowChange& row) {
          array.AddScalar(ValueOf(*row.indexed, column));
        }));
  }
  AddQuiet(table, changes, statement);
  return statement;
}

}  // namespace

void SortByKey(Changes& changes) {
  std::ranges::sort(changes, {},
                    [](const RowChange* change) -> const Key& { return change->ref->key; });
}

Statement InsertOf(const Table& table, const Changes& changes) {
  return WholeRows(table.insert_sql, table, changes);
}

Statement UpdateOf(const Table& table, const Placed& rows) {
  Statement statement = WholeRows(table.update_sql, table, rows.changes);
  AddParts(table, rows.parts, statement);
  return statement;
}

Statement QuietOf(const Table& table, const Placed& rows) {
  Statement statement{table.quiet_sql, {}};
  AddKeys(rows.changes, statement);
  AddQuiet(table, rows.changes, statement);
  AddParts(table, rows.parts, statement);
  return statement;
}

Statement DeleteOf(const Table& table, const Places& rows) {
  ArrayBuilder array(kTid);
  for (const std::string& ctid : rows.ctids) array.AddBytes(ctid);
  Statement statement{table.delete_sql, {std::move(array).Finish()}};
  AddParts(table, rows.parts, statement);
  return statement;
}

Statement KeyedBy(const std::string& sql, const std::vector<const Key*>& keys) {
  ArrayBuilder scopes(kText);
  ArrayBuilder ids(kText);
  for (const Key* key : keys) {
    scopes.AddBytes(key->scope);
    ids.AddBytes(key->id);
  }
  Statement statement{sql, {}};
  statement.params.push_back(std::move(scopes).Finish());
  statement.params.push_back(std::move(ids).Finish());
  return statement;
}

bool AllWritten(std::span<const Rows> answers, std::span<const int64_t> counts) {
  for (size_t i = 0; i < counts.size(); ++i) {
    if (answers[i].affected() != counts[i]) return false;
  }
  return true;
}

FieldValues QuietFrom(const Table& table, const Rows& rows, int row, int column) {
  FieldValues values;
  for (const Column& field : table.quiet) {
    if (!rows.IsNull(row, column)) {
      values.emplace(field.field.name, ScalarFromBinary(field.field.type, rows.Bytes(row, column)));
    }
    ++column;
  }
  return values;
}

}  // namespace a4c::postgres
