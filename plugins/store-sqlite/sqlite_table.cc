#include "sqlite_table.h"

#include <algorithm>

#include "a4c/retention.h"

namespace a4c::sqlite {
namespace {

constexpr int64_t kForgottenMax = 500;  // a call, while other writers wait
constexpr const char* kHere = " WHERE scope = ? AND id = ?";

Scalar ValueIn(const FieldValues& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? Scalar() : found->second;
}

std::string Quoted(const std::string& name) {
  return "\"" + name + "\"";
}

// "INSERT … ON CONFLICT … DO UPDATE": one statement whether the row is there or not.
std::string PutSql(const std::string& table, const std::vector<Field>& fields) {
  std::string columns = "scope, id, rev, tombstone, body";
  std::string places = "?, ?, ?, ?, ?";
  std::string sets = "rev = excluded.rev, tombstone = excluded.tombstone, body = excluded.body";
  for (const Field& field : fields) {
    const std::string column = ColumnOf(field);
    columns += ", " + column;
    places += ", ?";
    sets += ", " + column + " = excluded." + column;
  }
  return "INSERT INTO " + table + " (" + columns + ") VALUES (" + places +
         ") ON CONFLICT (scope, id) DO UPDATE SET " + sets;
}

}  // namespace

std::string ColumnOf(const Field& field) {
  return (field.quiet ? "q_" : "b_") + field.name;
}

std::string TableName(const Kind& kind) {
  return "k_" + kind.name;
}

std::string IndexName(const Kind& kind, const ScanIndex& index) {
  return Quoted("i_" + kind.name + "." + index.name);
}

std::string UniqueName(const Kind& kind, const ScanIndex& index) {
  return Quoted("u_" + kind.name + "." + index.name);
}

std::vector<std::string> OrderOf(const Kind& kind, const ScanIndex& index) {
  std::vector<std::string> columns;
  if (index.scoped) columns.push_back("scope");
  for (const std::string& name : index.fields) columns.push_back(ColumnOf(*FindField(kind, name)));
  if (!index.scoped) columns.push_back("scope");
  return columns;
}

std::vector<Field> StoredFields(const Kind& kind) {
  std::vector<Field> fields;
  for (const Field& field : kind.fields) {
    if (field.quiet) fields.push_back(field);
  }
  for (const Field& field : kind.fields) {
    const bool indexed = std::ranges::any_of(kind.indexes, [&field](const ScanIndex& index) {
      return std::ranges::find(index.fields, field.name) != index.fields.end();
    });
    if (!field.quiet && indexed) fields.push_back(field);
  }
  return fields;
}

Table::Table(const Kind& kind) : kind_(kind), fields_(StoredFields(kind)) {
  const std::string table = TableName(kind);
  std::string quiet;
  std::string set;
  std::string all;
  for (const Field& field : fields_) {
    all += ", " + ColumnOf(field);
    if (!field.quiet) continue;
    quiet_.push_back(field);
    quiet += ", " + ColumnOf(field);
    set += (set.empty() ? "" : ", ") + ColumnOf(field) + " = ?";
  }
  select_ = "SELECT scope, id, rev, tombstone, body" + all + " FROM " + table;
  find_ = "SELECT rev, tombstone" + quiet + " FROM " + table + kHere;
  put_ = PutSql(table, fields_);
  set_quiet_ = set.empty() ? "" : "UPDATE " + table + " SET " + set + kHere;
  erase_ = "DELETE FROM " + table + kHere;
}

ReadRow Table::ReadHere(Statement& statement) const {
  ReadRow row;
  Record& record = row.record;
  record.ref.kind = kind_.name;
  record.ref.key.scope = statement.Text();
  record.ref.key.id = statement.Text();
  record.rev = statement.Long();
  record.tombstone = statement.Long() != 0;
  record.body = statement.Text();
  for (const Field& field : fields_) {
    Scalar value = statement.Value(field.type);
    if (std::holds_alternative<std::monostate>(value)) continue;
    (field.quiet ? record.quiet : row.indexed).emplace(field.name, std::move(value));
  }
  return row;
}

Result<std::optional<StoredRow>> Table::Find(Connection& connection, const Key& key) const {
  A4C_TRY(Statement statement, connection.Prepare(find_));
  statement.Bind(key.scope).Bind(key.id);
  A4C_TRY(const bool there, statement.Step());
  if (!there) return std::optional<StoredRow>();
  StoredRow row{.rev = statement.Long(), .tombstone = statement.Long() != 0};
  for (const Field& field : quiet_) {
    Scalar value = statement.Value(field.type);
    if (!std::holds_alternative<std::monostate>(value)) {
      row.quiet.emplace(field.name, std::move(value));
    }
  }
  return std::optional<StoredRow>(std::move(row));
}

Result<std::optional<Key>> Table::Holder(Connection& connection, const UniqueClaim& claim) const {
  std::string sql = "SELECT scope, id FROM " + TableName(kind_) + " INDEXED BY " +
                    UniqueName(kind_, *claim.index) + " WHERE tombstone = 0";
  if (claim.index->scoped) sql += " AND scope = ?";
  for (const std::string& name : claim.index->fields) {
    sql += " AND " + ColumnOf(*FindField(kind_, name)) + " = ?";
  }
  A4C_TRY(Statement statement, connection.Prepare(sql));
  if (claim.index->scoped) statement.Bind(claim.scope);
  for (const Scalar& value : claim.values) statement.Bind(value);
  A4C_TRY(const bool there, statement.Step());
  if (!there) return std::optional<Key>();
  std::string scope = statement.Text();
  return std::optional<Key>({std::move(scope), statement.Text()});
}

Result<std::optional<Record>> Table::Read(Connection& connection, const Key& key) const {
  A4C_TRY(Statement statement, connection.Prepare(select_ + kHere));
  statement.Bind(key.scope).Bind(key.id);
  A4C_TRY(const bool there, statement.Step());
  if (!there) return std::optional<Record>();
  return std::optional<Record>(ReadHere(statement).record);
}

Result<void> Table::Write(Connection& connection, const RowChange& change) const {
  switch (change.what) {
    case RowChange::What::kPut:
      return WriteWhole(connection, change);
    case RowChange::What::kQuiet:
      return WriteQuiet(connection, change);
    case RowChange::What::kDelete:
      break;
  }
  A4C_TRY(Statement statement, connection.Prepare(erase_));
  return statement.Bind(change.ref->key.scope).Bind(change.ref->key.id).Run();
}

Result<bool> Table::Forget(Connection& connection, int64_t before_ms) const {
  const std::string table = TableName(kind_);
  A4C_TRY(
      Statement statement,
      connection.Prepare("DELETE FROM " + table + " WHERE rowid IN (SELECT rowid FROM " + table +
                         " INDEXED BY " + IndexName(kind_, AgeIndex(kind_)) + " WHERE " +
                         ColumnOf(*FindField(kind_, kind_.age_field)) + " < ? LIMIT ?)"));
  A4C_CHECK(statement.Bind(before_ms).Bind(kForgottenMax).Run());
  return sqlite3_changes64(connection.handle()) == kForgottenMax;
}

Result<void> Table::WriteWhole(Connection& connection, const RowChange& change) const {
  A4C_TRY(Statement statement, connection.Prepare(put_));
  statement.Bind(change.ref->key.scope).Bind(change.ref->key.id).Bind(change.row.rev);
  statement.Bind(int64_t{change.row.tombstone}).Bind(std::string_view(*change.body));
  std::vector<Scalar> values;
  values.reserve(fields_.size());
  for (const Field& field : fields_) {
    values.push_back(ValueIn(field.quiet ? change.row.quiet : *change.indexed, field.name));
    statement.Bind(values.back());
  }
  return statement.Run();
}

Result<void> Table::WriteQuiet(Connection& connection, const RowChange& change) const {
  if (quiet_.empty()) return {};
  A4C_TRY(Statement statement, connection.Prepare(set_quiet_));
  std::vector<Scalar> values;
  values.reserve(quiet_.size());
  for (const Field& field : quiet_) {
    values.push_back(ValueIn(change.row.quiet, field.name));
    statement.Bind(values.back());
  }
  return statement.Bind(change.ref->key.scope).Bind(change.ref->key.id).Run();
}

}  // namespace a4c::sqlite
