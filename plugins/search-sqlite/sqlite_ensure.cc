#include "sqlite_ensure.h"

namespace a4c::search_sqlite {
namespace {

constexpr int64_t kApplicationId = 0x61346369;  // "a4ci", shown by file(1)
constexpr int64_t kFormat = 1;

// ascii takes all bytes past 127 for parts of words and folds A to Z alone, which no word of core
// has. With all punctuation named too, words end at spaces and nowhere else.
constexpr const char* kTokenizer = R"("ascii tokenchars '!""#$%&''''()*+,-./:;<=>?@[\]^_`{|}~'")";

const char* ColumnType(FieldType type) {
  return type == FieldType::kDouble ? "REAL" : "INTEGER";
}

Error Conflict(const Kind& kind, const std::string& what) {
  return Error(Code::kConflict, "search-sqlite: the index of " + kind.name + " " + what,
               "rebuild the index: a4c sync rebuild");
}

Result<void> Remember(Connection& connection, const char* sql, const Layout& layout, int64_t flag) {
  A4C_TRY(Statement statement, connection.Prepare(sql));
  return statement.Bind(layout.kind).Bind(layout.number).Bind(flag).Run();
}

Result<void> MakeTables(Connection& connection, const Layout& layout) {
  const std::string table = layout.Documents();
  A4C_CHECK(connection.Execute(
      "CREATE TABLE " + table +
      " (doc INTEGER PRIMARY KEY, scope TEXT NOT NULL, id TEXT NOT NULL UNIQUE, "
      "rev INTEGER NOT NULL, hash INTEGER NOT NULL, tombstone INTEGER NOT NULL, "
      "projection INTEGER NOT NULL, bucket INTEGER NOT NULL, digest INTEGER NOT NULL)"));
  A4C_CHECK(connection.Execute("CREATE INDEX " + layout.Index("id") + " ON " + table +
                               " (scope, id) WHERE tombstone = 0"));
  return connection.Execute("CREATE TABLE " + layout.Bodies() +
                            " (doc INTEGER PRIMARY KEY, body TEXT NOT NULL)");
}

Result<void> MakeValues(Connection& connection, const Layout& layout, const std::string& field) {
  const std::string table = layout.Values(field);
  A4C_CHECK(connection.Execute("CREATE TABLE " + table +
                               " (value TEXT NOT NULL, doc INTEGER NOT NULL, "
                               "PRIMARY KEY (value, doc)) WITHOUT ROWID"));
  return connection.Execute("CREATE INDEX " + layout.Index(field + ".doc") + " ON " + table +
                            " (doc)");
}

Result<void> MakeWords(Connection& connection, const Layout& layout, const std::string& field) {
  return connection.Execute("CREATE VIRTUAL TABLE " + layout.Words(field) +
                            " USING fts5(words, columnsize = 0, tokenize = " + kTokenizer + ")");
}

Result<void> MakeIndex(Connection& connection, const Layout& layout, const Field& field) {
  const std::string key = IsInteger(field.type) ? DownwardsKey(field.name) : "f_" + field.name;
  return connection.Execute("CREATE INDEX " + layout.Index(field.name + ".key") + " ON " +
                            layout.Documents() + " (scope, " + key + ") WHERE tombstone = 0");
}

Result<void> AddField(Connection& connection, const Layout& layout, const Field& field) {
  const std::string& name = field.name;
  const std::string add = "ALTER TABLE " + layout.Documents() + " ADD COLUMN ";
  A4C_CHECK(connection.Execute(add + "f_" + name + " " + ColumnType(field.type)));
  if (field.type == FieldType::kKeyword) {
    A4C_CHECK(connection.Execute(add + "lo_" + name + " TEXT"));
    A4C_CHECK(connection.Execute(add + "hi_" + name + " TEXT"));
  }
  if (IsKeywords(field.type)) A4C_CHECK(MakeValues(connection, layout, name));
  if (field.type == FieldType::kText) A4C_CHECK(MakeWords(connection, layout, name));
  if (IsInteger(field.type) || field.type == FieldType::kDouble) {
    A4C_CHECK(MakeIndex(connection, layout, field));
  }
  A4C_TRY(
      Statement remember,
      connection.Prepare("INSERT INTO a4c_field (kind, number, field, type) VALUES (?, ?, ?, ?)"));
  return remember.Bind(layout.kind)
      .Bind(layout.number)
      .Bind(name)
      .Bind(static_cast<int64_t>(field.type))
      .Run();
}

Result<void> AddFields(Connection& connection, const Layout& layout, const Kind& kind) {
  for (const Field& field : kind.fields) {
    if (!field.searchable) continue;
    const auto found = layout.fields.find(field.name);
    if (found == layout.fields.end()) {
      A4C_CHECK(AddField(connection, layout, field));
    } else if (found->second != field.type) {
      return Conflict(kind, "has \"" + field.name + "\" as another type");
    }
  }
  return {};
}

Result<void> MakeGeneration(Connection& connection, const Kind& kind, int64_t number, bool live) {
  const Layout layout{.kind = kind.name, .number = number};
  A4C_CHECK(MakeTables(connection, layout));
  const std::string sql =
      "INSERT INTO a4c_generation (kind, number, live, layout) VALUES (?, ?, ?, " +
      std::to_string(kLayout) + ")";
  A4C_CHECK(Remember(connection, sql.c_str(), layout, int64_t{live}));
  return AddFields(connection, layout, kind);
}

Result<void> EnsureKind(Connection& connection, const Kind& kind) {
  A4C_TRY(const std::optional<Layout> live, ReadLayout(connection, kind.name, kLive));
  if (!live) return MakeGeneration(connection, kind, 1, true);
  if (live->layout != kLayout) {
    return Conflict(
        kind, "has layout " + std::to_string(live->layout) + ", not " + std::to_string(kLayout));
  }
  return AddFields(connection, *live, kind);
}

Result<void> MakeOurs(Connection& connection) {
  A4C_CHECK(connection.Execute("PRAGMA application_id = " + std::to_string(kApplicationId)));
  A4C_CHECK(connection.Execute("PRAGMA user_version = " + std::to_string(kFormat)));
  A4C_CHECK(connection.Execute(
      "CREATE TABLE a4c_generation (kind TEXT NOT NULL, number INTEGER NOT NULL, "
      "live INTEGER NOT NULL, layout INTEGER NOT NULL, PRIMARY KEY (kind, number))"));
  return connection.Execute(
      "CREATE TABLE a4c_field (kind TEXT NOT NULL, number INTEGER NOT NULL, field TEXT NOT NULL, "
      "type INTEGER NOT NULL, PRIMARY KEY (kind, number, field))");
}

}  // namespace

Result<void> EnsureOurs(Connection& connection, const std::string& path) {
  A4C_TRY(const std::string id, connection.Ask("PRAGMA application_id"));
  A4C_TRY(const std::string tables, connection.Ask("SELECT count(*) FROM sqlite_schema"));
  if (id == "0" && tables == "0") return MakeOurs(connection);
  if (id != std::to_string(kApplicationId)) {
    return Error(Code::kInvalid, "search-sqlite: " + path + " is a database of another program",
                 "name another path");
  }
  A4C_TRY(const std::string format, connection.Ask("PRAGMA user_version"));
  if (format == std::to_string(kFormat)) return {};
  return Error(
      Code::kInvalid,
      "search-sqlite: " + path + " has format " + format + ", which this release does not know",
      "run a newer release, or delete the file: it is filled again from the store");
}

Result<void> EnsureKinds(Connection& connection, std::span<const Kind> kinds) {
  for (const Kind& kind : kinds) A4C_CHECK(EnsureKind(connection, kind));
  return {};
}

Result<std::vector<IndexGeneration>> ListGenerations(Connection& connection, const Kind& kind) {
  A4C_TRY(Statement rows, connection.Prepare("SELECT number, live FROM a4c_generation "
                                             "WHERE kind = ? ORDER BY number"));
  rows.Bind(kind.name);
  std::vector<IndexGeneration> list;
  for (;;) {
    A4C_TRY(const bool there, rows.Step());
    if (!there) return list;
    const int64_t number = rows.Long();
    list.push_back({number, rows.Long() != 0});
  }
}

Result<void> CreateGeneration(Connection& connection, const Kind& kind, int64_t number) {
  A4C_TRY(const std::optional<Layout> found, ReadLayout(connection, kind.name, number));
  if (!found) return MakeGeneration(connection, kind, number, false);
  return found->live ? Result<void>(Conflict(kind, "is live in this generation")) : Result<void>();
}

Result<void> SwapGeneration(Connection& connection, const Kind& kind, int64_t number) {
  A4C_TRY(const std::optional<Layout> found, ReadLayout(connection, kind.name, number));
  if (!found) return NoGeneration(kind, number);
  A4C_TRY(const std::vector<IndexGeneration> list, ListGenerations(connection, kind));
  for (const IndexGeneration& one : list) {
    if (one.live && one.number > number) return Conflict(kind, "is live in a later generation");
  }
  A4C_TRY(Statement swap, connection.Prepare("UPDATE a4c_generation SET live = (number = ?) "
                                             "WHERE kind = ?"));
  return swap.Bind(number).Bind(kind.name).Run();
}

Result<void> DropGeneration(Connection& connection, const Kind& kind, int64_t number) {
  A4C_TRY(const std::optional<Layout> found, ReadLayout(connection, kind.name, number));
  if (!found) return {};
  if (found->live) return Conflict(kind, "is live in this generation");
  for (const auto& [field, type] : found->fields) {
    if (!IsKeywords(type) && type != FieldType::kText) continue;
    A4C_CHECK(connection.Execute("DROP TABLE " +
                                 (IsKeywords(type) ? found->Values(field) : found->Words(field))));
  }
  A4C_CHECK(connection.Execute("DROP TABLE " + found->Bodies()));
  A4C_CHECK(connection.Execute("DROP TABLE " + found->Documents()));
  for (const char* table : {"a4c_field", "a4c_generation"}) {
    A4C_TRY(Statement forget, connection.Prepare(std::string("DELETE FROM ") + table +
                                                 " WHERE kind = ? AND number = ?"));
    A4C_CHECK(forget.Bind(kind.name).Bind(number).Run());
  }
  return {};
}

Error NoGeneration(const Kind& kind, int64_t number) {
  return Error(Code::kNotFound, "search-sqlite: the index of " + kind.name + " has no generation " +
                                    std::to_string(number));
}

}  // namespace a4c::search_sqlite
