#include "schema/postgres_table.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

namespace a4c::postgres {
namespace {

constexpr std::string_view kKeyArrays = "$1::text[], $2::text[]";

// "a, b, c" of what `make` says of each column.
template <typename Make>
std::string Each(const std::vector<Column>& columns, Make make) {
  std::string text;
  for (const Column& column : columns) text += ", " + make(column);
  return text;
}

std::string Names(const std::vector<Column>& columns, const std::string& of = "") {
  return Each(columns, [&](const Column& column) { return of + column.name; });
}

std::string Arrays(const std::vector<Column>& columns, int first) {
  return Each(columns, [&](const Column& column) {
    return "$" + std::to_string(first++) + "::" + column.type.name + "[]";
  });
}

std::string Excluded(const std::vector<Column>& columns) {
  return Each(columns,
              [](const Column& column) { return column.name + " = excluded." + column.name; });
}

std::vector<Column> IndexedColumns(const Kind& kind) {
  std::set<std::string_view> named;
  for (const ScanIndex& index : kind.indexes)
    named.insert(index.fields.begin(), index.fields.end());
  std::vector<Column> columns;
  for (const Field& field : kind.fields) {
    if (field.quiet || !named.contains(field.name)) continue;
    columns.push_back({Quoted("f_" + field.name), SqlTypeOf(field.type), field});
  }
  return columns;
}

std::vector<Column> QuietColumns(const Kind& kind) {
  std::vector<Column> columns;
  for (const Field& field : kind.fields) {
    if (!field.quiet) continue;
    columns.push_back({Quoted("q_" + field.name), SqlTypeOf(field.type), field});
  }
  return columns;
}

// The key of a row and what tells it from all others; a conflict with a row that is there.
std::string PlaceColumns(const Table& table) {
  return table.parted ? "scope, id, part" : "scope, id";
}

// Rows of arrays; `part` says in SQL where one goes, and `from` what else that needs.
std::string WriteSql(const Table& table, const std::string& part, const std::string& from) {
  const std::string names = Names(table.indexed) + Names(table.quiet);
  const int indexed = static_cast<int>(table.indexed.size());
  const std::string more = table.parted ? ", part" : "";
  return "INSERT INTO " + table.name + " AS t (scope, id, rev, tombstone, body, kind_version" +
         names + more + ") SELECT scope, id, rev, tombstone, body, " +
         std::to_string(table.kind.version) + names + part + " FROM unnest(" +
         std::string(kKeyArrays) + ", $3::bigint[], $4::boolean[], $5::json[]" +
         Arrays(table.indexed, 6) + Arrays(table.quiet, 6 + indexed) + from;
}

std::string InsertSql(const Table& table, const std::string& schema) {
  const std::string names = Names(table.indexed) + Names(table.quiet);
  const std::string end = ") AS u(scope, id, rev, tombstone, body" + names + ")";
  if (!table.parted) return WriteSql(table, "", end);
  return WriteSql(table,
                  ", CASE WHEN EXISTS (SELECT FROM " + table.name +
                      " AS o WHERE o.scope = u.scope AND o.id = u.id AND o.part < k.part) THEN " +
                      Quoted(schema) + ".\"_taken\"() ELSE k.part END",
                  end + ", (SELECT part FROM " + Quoted(schema) +
                      ".\"_kinds\" WHERE name = " + Literal(table.kind.name) + ") AS k");
}

// The arrays' last one, numbered `parameter`, is that of the parts.
std::string PartsArray(int parameter) {
  return ", $" + std::to_string(parameter) + "::bigint[]";
}

std::string UpdateSql(const Table& table) {
  const std::string names = Names(table.indexed) + Names(table.quiet);
  const int columns = static_cast<int>(table.indexed.size() + table.quiet.size());
  const std::string end = ") AS u(scope, id, rev, tombstone, body" + names;
  const std::string rows =
      table.parted ? WriteSql(table, ", u.part", PartsArray(6 + columns) + end + ", part)")
                   : WriteSql(table, "", end + ")");
  return rows + " ON CONFLICT (" + PlaceColumns(table) +
         ") DO UPDATE SET rev = excluded.rev, tombstone = "
         "excluded.tombstone, body = excluded.body, kind_version = excluded.kind_version, "
         "changed_at = clock_timestamp()" +
         Excluded(table.indexed) + Excluded(table.quiet);
}

std::string QuietSql(const Table& table) {
  const std::string more = table.parted ? ", part" : "";
  const std::string names = Names(table.quiet) + more;
  const int columns = static_cast<int>(table.quiet.size());
  return "INSERT INTO " + table.name + " AS t (scope, id, rev, tombstone, body, kind_version" +
         names + ") SELECT scope, id, 1, false, '{}'::json, " + std::to_string(table.kind.version) +
         names + " FROM unnest(" + std::string(kKeyArrays) + Arrays(table.quiet, 3) +
         (table.parted ? PartsArray(3 + columns) : "") + ") AS u(scope, id" + names +
         ") ON CONFLICT (" + PlaceColumns(table) + ") DO UPDATE SET rev = t.rev" +
         Excluded(table.quiet);
}

// A ctid is a place within its part.
std::string DeleteSql(const Table& table) {
  const std::string sql = "DELETE FROM " + table.name + " WHERE ctid = ANY ($1::tid[])";
  if (!table.parted) return sql;
  return sql +
         " AND (part, ctid) IN (SELECT u.part, u.place FROM unnest($2::bigint[], $1::tid[]) "
         "AS u(part, place))";
}

// Rows of the arrays `from`, called u, each with the one row of `select` that it leads to.
std::string Lookup(const std::string& from, const std::string& answers, const std::string& select) {
  return "SELECT u.place, " + answers + " FROM " + from + ", LATERAL (" + select + ") AS r";
}

std::string KeyedLookup(const Table& table, const std::string& columns, const std::string& answers,
                        const std::string& end) {
  return Lookup("unnest(" + std::string(kKeyArrays) + ") WITH ORDINALITY AS u(scope, id, place)",
                answers,
                "SELECT " + columns + " FROM " + table.name +
                    " AS t WHERE t.scope = u.scope AND t.id = u.id " + end);
}

// What is written once never changes, so there is nothing to lock, nor a right to.
std::string LockSql(const Table& table) {
  const auto columns = [&](const std::string& of) {
    return of + "ctid, " + of + "rev, " + of + "tombstone" + Names(table.quiet, of) +
           (table.parted ? ", " + of + "part" : "");
  };
  return KeyedLookup(table, columns("t."), columns("r."),
                     table.kind.append_only ? "LIMIT 1" : "FOR UPDATE");
}

std::string HolderSql(const Table& table, const ScanIndex& index) {
  std::vector<Column> columns;
  for (const std::string& field : index.fields) columns.push_back(table.ColumnOf(field));
  std::string arrays = Arrays(columns, index.scoped ? 2 : 1).substr(2);
  std::string names = Names(columns).substr(2);
  std::string where = "NOT t.tombstone AND t." + columns[0].name + " IS NOT NULL";
  if (index.scoped) {
    arrays = "$1::text[], " + arrays;
    names = "scope, " + names;
    where += " AND t.scope = u.scope";
  }
  for (const Column& column : columns) where += " AND t." + column.name + " = u." + column.name;
  return Lookup("unnest(" + arrays + ") WITH ORDINALITY AS u(" + names + ", place)",
                "r.scope, r.id",
                "SELECT t.scope, t.id FROM " + table.name + " AS t WHERE " + where + " LIMIT 1");
}

}  // namespace

std::string Quoted(std::string_view identifier) {
  std::string text = "\"";
  for (const char c : identifier) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + "\"";
}

std::string Literal(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) literal += c == '\'' ? "''" : std::string(1, c);
  return literal + "'";
}

Table::Table(const std::string& schema, Kind kind_of_rows)
    : kind(std::move(kind_of_rows)),
      name(Quoted(schema) + "." + Quoted(kind.name)),
      indexed(IndexedColumns(kind)),
      quiet(QuietColumns(kind)),
      parted(!kind.age_field.empty()),
      insert_sql(InsertSql(*this, schema)),
      update_sql(UpdateSql(*this)),
      quiet_sql(QuietSql(*this)),
      delete_sql(DeleteSql(*this)),
      lock_sql(LockSql(*this)),
      get_sql(KeyedLookup(*this, "t.rev, t.tombstone, t.body" + Names(quiet, "t."),
                          "r.rev, r.tombstone, r.body" + Names(quiet, "r."), "LIMIT 1")) {
  for (const ScanIndex& index : kind.indexes) {
    if (index.unique) holder_sql.emplace(index.name, HolderSql(*this, index));
  }
}

const Column& Table::ColumnOf(std::string_view field) const {
  for (const std::vector<Column>* columns : {&indexed, &quiet}) {
    const auto found = std::ranges::find(
        *columns, field, [](const Column& column) { return std::string_view(column.field.name); });
    if (found != columns->end()) return *found;
  }
  std::abort();  // CheckKind and CheckScan let nobody ask for another
}

}  // namespace a4c::postgres
