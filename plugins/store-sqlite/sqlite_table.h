// A kind as a table: its columns, and the rows in and out. [any thread, each with its connection]
//
//   k_<kind>(scope, id, rev, tombstone, body, q_<quiet field>..., b_<indexed body field>...)
//   i_<kind>.<index>: (scope if scoped, fields, scope if unscoped, id) of rows with the first field
//   u_<kind>.<index>: the unique one over (scope if scoped, fields) of the living
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/kind.h"
#include "sqlite_connection.h"

namespace a4c::sqlite {

std::string ColumnOf(const Field& field);
std::string TableName(const Kind& kind);
std::string IndexName(const Kind& kind, const ScanIndex& index);
std::string UniqueName(const Kind& kind, const ScanIndex& index);
// The columns of an index, in its order, without the final id.
std::vector<std::string> OrderOf(const Kind& kind, const ScanIndex& index);
// The fields that have a column: all quiet ones, and the body fields that indexes name.
std::vector<Field> StoredFields(const Kind& kind);

struct ReadRow {
  Record record;
  FieldValues indexed;
};

class Table {
 public:
  explicit Table(const Kind& kind);

  const Kind& kind() const { return kind_; }
  // "SELECT <all columns> FROM <table>": what ReadHere reads.
  const std::string& select() const { return select_; }
  ReadRow ReadHere(Statement& statement) const;

  Result<std::optional<StoredRow>> Find(Connection& connection, const Key& key) const;
  Result<std::optional<Key>> Holder(Connection& connection, const UniqueClaim& claim) const;
  Result<std::optional<Record>> Read(Connection& connection, const Key& key) const;
  Result<void> Write(Connection& connection, const RowChange& change) const;
  // Those of an age before that, at most 500, in a commit of its own; true: there may be more.
  Result<bool> Forget(Connection& connection, int64_t before_ms) const;

 private:
  Result<void> WriteWhole(Connection& connection, const RowChange& change) const;
  Result<void> WriteQuiet(Connection& connection, const RowChange& change) const;

  Kind kind_;
  std::vector<Field> fields_;  // quiet ones first
  std::vector<Field> quiet_;
  std::string select_;
  std::string find_;
  std::string put_;
  std::string set_quiet_;
  std::string erase_;
};

}  // namespace a4c::sqlite
