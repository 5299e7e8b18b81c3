#include "sqlite_schema.h"

#include <algorithm>

#include "a4c/stored_kind.h"

namespace a4c::sqlite {
namespace {

constexpr int64_t kApplicationId = 0x61346373;  // "a4cs", shown by file(1)
constexpr int64_t kFormat = 1;
constexpr int64_t kBackfillRows = 500;

const char* TypeOf(const Field& field) {
  if (field.type == FieldType::kKeyword) return "TEXT";
  return field.type == FieldType::kDouble ? "REAL" : "INTEGER";
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool Contains(const std::vector<Field>& fields, const Field& field) {
  return std::ranges::find(fields, field.name, &Field::name) != fields.end();
}

bool IsSame(const ScanIndex* a, const ScanIndex& b) {
  return a != nullptr && a->fields == b.fields && a->scoped == b.scoped && a->unique == b.unique;
}

class Migration {
 public:
  Migration(Connection& connection, const Kind* old, const Kind& wanted)
      : connection_(connection), old_(old ? *old : Kind{.name = wanted.name}), wanted_(wanted) {}

  Result<void> Run() {
    A4C_CHECK(connection_.Execute("CREATE TABLE IF NOT EXISTS " + TableName(wanted_) +
                                  " (scope TEXT NOT NULL, id TEXT NOT NULL, rev INTEGER NOT NULL, "
                                  "tombstone INTEGER NOT NULL, body TEXT NOT NULL, "
                                  "PRIMARY KEY (scope, id))"));
    A4C_CHECK(DropIndexes());
    A4C_CHECK(ChangeColumns());
    A4C_CHECK(CreateIndexes());
    return Remember();
  }

 private:
  Result<void> DropIndexes() {
    for (const ScanIndex& index : old_.indexes) {
      if (IsSame(FindIndex(wanted_, index.name), index)) continue;
      for (const std::string& name : {IndexName(old_, index), UniqueName(old_, index)}) {
        A4C_CHECK(connection_.Execute("DROP INDEX IF EXISTS " + name));
      }
    }
    return {};
  }

  Result<void> ChangeColumns() {
    const std::vector<Field> before = StoredFields(old_);
    const std::vector<Field> after = StoredFields(wanted_);
    const std::string alter = "ALTER TABLE " + TableName(wanted_);
    for (const Field& field : before) {
      if (Contains(after, field)) continue;
      A4C_CHECK(connection_.Execute(alter + " DROP COLUMN " + ColumnOf(field)));
    }
    std::vector<Field> filled;
    for (const Field& field : after) {
      if (Contains(before, field)) continue;
      A4C_CHECK(
          connection_.Execute(alter + " ADD COLUMN " + ColumnOf(field) + " " + TypeOf(field)));
      if (!field.quiet) filled.push_back(field);
    }
    return filled.empty() ? Result<void>() : Backfill(filled);
  }

  // Fills new columns from the bodies that are there.
  Result<void> Backfill(const std::vector<Field>& fields) {
    std::vector<std::string> sets;
    for (const Field& field : fields) sets.push_back(ColumnOf(field) + " = ?");
    const std::string table = TableName(wanted_);
    const std::string select = "SELECT rowid, id, body FROM " + table +
                               " WHERE rowid > ? ORDER BY rowid LIMIT " +
                               std::to_string(kBackfillRows);
    const std::string update = "UPDATE " + table + " SET " + Joined(sets) + " WHERE rowid = ?";
    int64_t last = INT64_MIN;
    for (int64_t rows = kBackfillRows; rows == kBackfillRows;) {
      rows = 0;
      A4C_TRY(Statement read, connection_.Prepare(select));
      read.Bind(last);
      for (;; ++rows) {
        A4C_TRY(const bool there, read.Step());
        if (!there) break;
        last = read.Long();
        const std::string id = read.Text();
        A4C_CHECK(FillRow(update, fields, last, id, read.Text()));
      }
    }
    return {};
  }

  Result<void> FillRow(const std::string& update, const std::vector<Field>& fields, int64_t row,
                       const std::string& id, const std::string& body) {
    const Result<FieldValues> values = IndexedFields(wanted_, body);
    if (!values) return Misfit("record " + id + " does not fit: " + values.error().message());
    A4C_TRY(Statement statement, connection_.Prepare(update));
    std::vector<Scalar> bound;
    bound.reserve(fields.size());
    for (const Field& field : fields) {
      const auto found = values->find(field.name);
      bound.push_back(found == values->end() ? Scalar() : found->second);
      statement.Bind(bound.back());
    }
    return statement.Bind(row).Run();
  }

  Result<void> CreateIndexes() {
    for (const ScanIndex& index : wanted_.indexes) {
      if (IsSame(FindIndex(old_, index.name), index)) continue;
      std::vector<std::string> columns = OrderOf(wanted_, index);
      columns.push_back("id");
      const std::string first = ColumnOf(*FindField(wanted_, index.fields[0]));
      A4C_CHECK(connection_.Execute("CREATE INDEX " + IndexName(wanted_, index) + " ON " +
                                    TableName(wanted_) + " (" + Joined(columns) + ") WHERE " +
                                    first + " IS NOT NULL"));
      if (index.unique) A4C_CHECK(CreateUnique(index));
    }
    return {};
  }

  // SQL takes two absent values for different, as the contract does.
  Result<void> CreateUnique(const ScanIndex& index) {
    std::vector<std::string> columns = OrderOf(wanted_, index);
    if (!index.scoped) columns.pop_back();
    Result<void> created =
        connection_.Execute("CREATE UNIQUE INDEX " + UniqueName(wanted_, index) + " ON " +
                            TableName(wanted_) + " (" + Joined(columns) + ") WHERE tombstone = 0");
    if (sqlite3_extended_errcode(connection_.handle()) != SQLITE_CONSTRAINT_UNIQUE) return created;
    return Misfit("index " + index.name + ": living records have the same values");
  }

  Result<void> Remember() {
    A4C_TRY(Statement statement,
            connection_.Prepare("INSERT INTO a4c_kind (name, version, definition) VALUES (?, ?, ?) "
                                "ON CONFLICT (name) DO UPDATE SET version = excluded.version, "
                                "definition = excluded.definition"));
    const std::string definition = KindToJson(wanted_);
    return statement.Bind(wanted_.name).Bind(int64_t{wanted_.version}).Bind(definition).Run();
  }

  Error Misfit(const std::string& why) const {
    return Error(Code::kInvalid, "kind \"" + wanted_.name + "\" version " +
                                     std::to_string(wanted_.version) + ": " + why);
  }

  Connection& connection_;
  const Kind old_;
  const Kind& wanted_;
};

Result<void> MakeOurs(Connection& connection) {
  A4C_CHECK(connection.Execute("BEGIN IMMEDIATE"));
  A4C_CHECK(connection.Execute("PRAGMA application_id = " + std::to_string(kApplicationId)));
  A4C_CHECK(connection.Execute("PRAGMA user_version = " + std::to_string(kFormat)));
  A4C_CHECK(
      connection.Execute("CREATE TABLE a4c_kind (name TEXT PRIMARY KEY, version INTEGER NOT NULL, "
                         "definition TEXT NOT NULL)"));
  return connection.Execute("COMMIT");
}

Result<void> CheckOurs(Connection& connection, const std::string& path) {
  A4C_TRY(const std::string id, connection.Ask("PRAGMA application_id"));
  A4C_TRY(const std::string tables, connection.Ask("SELECT count(*) FROM sqlite_schema"));
  if (id == "0" && tables == "0") return MakeOurs(connection);
  if (id != std::to_string(kApplicationId)) {
    return Error(Code::kInvalid, path + " is a database of another program", "name another path");
  }
  A4C_TRY(const std::string format, connection.Ask("PRAGMA user_version"));
  if (format == std::to_string(kFormat)) return {};
  return Error(Code::kInvalid,
               path + " has format " + format + ", which this release does not know",
               "run a newer release");
}

}  // namespace

Result<std::shared_ptr<const Schema>> OpenSchema(Connection& connection, const std::string& path) {
  A4C_CHECK(CheckOurs(connection, path));
  // Files of earlier releases have none.
  A4C_CHECK(connection.Execute("CREATE TABLE IF NOT EXISTS a4c_time (time_ms INTEGER NOT NULL)"));
  auto schema = std::make_shared<Schema>();
  A4C_TRY(Statement statement, connection.Prepare("SELECT definition FROM a4c_kind"));
  for (;;) {
    A4C_TRY(const bool there, statement.Step());
    if (!there) break;
    A4C_TRY(const Kind kind, KindFromJson(statement.Text()));
    schema->kinds.emplace(kind.name, kind);
    schema->tables.emplace(kind.name, Table(kind));
  }
  return std::shared_ptr<const Schema>(std::move(schema));
}

Result<std::shared_ptr<const Schema>> Migrate(Connection& connection,
                                              const std::shared_ptr<const Schema>& schema,
                                              std::span<const Kind> kinds) {
  auto next = std::make_shared<Schema>(*schema);
  bool changed = false;
  for (const Kind& kind : kinds) {
    const auto old = next->kinds.find(kind.name);
    if (old != next->kinds.end()) {
      A4C_TRY(const bool newer, CheckUpgrade(old->second, kind));
      if (!newer) continue;
    }
    if (!changed) A4C_CHECK(connection.Execute("BEGIN IMMEDIATE"));
    changed = true;
    A4C_CHECK(Migration(connection, old == next->kinds.end() ? nullptr : &old->second, kind).Run());
    next->kinds.insert_or_assign(kind.name, kind);
    next->tables.insert_or_assign(kind.name, Table(kind));
  }
  if (!changed) return schema;
  A4C_CHECK(connection.Execute("COMMIT"));
  return std::shared_ptr<const Schema>(std::move(next));
}

Result<int64_t> KeptTime(Connection& connection) {
  A4C_TRY(Statement statement, connection.Prepare("SELECT time_ms FROM a4c_time WHERE rowid = 1"));
  A4C_TRY(const bool there, statement.Step());
  return there ? statement.Long() : 0;
}

Result<void> KeepTime(Connection& writer, int64_t time_ms) {
  A4C_TRY(Statement statement,
          writer.Prepare("INSERT OR REPLACE INTO a4c_time (rowid, time_ms) VALUES (1, ?)"));
  return statement.Bind(time_ms).Run();
}

}  // namespace a4c::sqlite
