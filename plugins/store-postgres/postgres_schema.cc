#include "postgres_schema.h"

#include "a4c/record.h"

namespace a4c::postgres {
namespace {

constexpr size_t kNameMax = 63;

std::string Definition(const Column& column) {
  const bool text = column.type.oid == kText.oid;
  return column.name + " " + column.type.name + (text ? " COLLATE \"C\"" : "");
}

std::string WhereIndexed(const Table& table, const ScanIndex& index) {
  std::string where = table.ColumnOf(index.fields[0]).name + " IS NOT NULL";
  if (index.unique) where += " AND NOT tombstone";
  return where;
}

// As core's IndexedFields reads the body: a value of another type stands in no index.
std::string ValueSql(const Column& column) {
  const std::string member = "NEW.body->" + Literal(column.field.name);
  const std::string text = "(NEW.body->>" + Literal(column.field.name) + ")";
  switch (column.type.oid) {
    case kText.oid:
      return "CASE WHEN json_typeof(" + member + ") = 'string' AND octet_length(" + text +
             ") <= 1024 THEN " + text + " END";
    case kBoolean.oid:
      return "CASE json_typeof(" + member + ") WHEN 'boolean' THEN " + text + "::boolean END";
    default:
      return "CASE json_typeof(" + member + ") WHEN 'number' THEN " + text +
             "::" + column.type.name + " END";
  }
}

std::string Assignments(const Table& table) {
  std::string sql;
  for (const Column& column : table.indexed) {
    sql += " NEW." + column.name + " := " + ValueSql(column) + ";";
  }
  return sql;
}

std::vector<std::string> Trigger(const std::string& schema, const Table& table,
                                 const std::string& part, const std::string& events,
                                 const std::string& when, const std::string& body) {
  const std::string name = Quoted(NameOf(table.kind, part));
  const std::string function = Quoted(schema) + "." + name;
  return {"CREATE OR REPLACE FUNCTION " + function +
              "() RETURNS trigger LANGUAGE plpgsql AS $a4c$ " + body + " $a4c$",
          "CREATE OR REPLACE TRIGGER " + name + " BEFORE " + events + " ON " + table.name +
              " FOR EACH ROW WHEN (" + when + ") EXECUTE FUNCTION " + function + "()"};
}

}  // namespace

std::string NameOf(const Kind& kind, const std::string& part) {
  std::string name = kind.name + "$" + part;
  if (name.size() <= kNameMax) return name;
  const std::string hash = std::to_string(BodyHash(name));
  return name.substr(0, kNameMax - 1 - hash.size()) + "$" + hash;
}

std::string CreateTableSql(const Table& table) {
  std::string sql = "CREATE TABLE IF NOT EXISTS " + table.name +
                    " (scope text COLLATE \"C\" NOT NULL, id text COLLATE \"C\" NOT NULL, "
                    "rev bigint NOT NULL, tombstone boolean NOT NULL, body json NOT NULL, "
                    "kind_version integer NOT NULL, "
                    "changed_at timestamptz NOT NULL DEFAULT clock_timestamp()";
  for (const auto* columns : {&table.indexed, &table.quiet}) {
    for (const Column& column : *columns) sql += ", " + Definition(column);
  }
  return sql + ", PRIMARY KEY (scope, id)) WITH (fillfactor = 90)";
}

std::vector<std::string> AddColumnsSql(const Table& table) {
  std::vector<std::string> statements;
  for (const auto* columns : {&table.indexed, &table.quiet}) {
    for (const Column& column : *columns) {
      statements.push_back("ALTER TABLE " + table.name + " ADD COLUMN IF NOT EXISTS " +
                           Definition(column));
    }
  }
  return statements;
}

// A unique index holds no id, so it cannot be in the whole order of a scan: PostgreSQL sorts the
// few rows that are alike in the fields by itself.
std::string IndexDefinition(const Table& table, const ScanIndex& index) {
  std::string keys = index.scoped ? "scope, " : "";
  for (const std::string& field : index.fields) {
    keys += table.ColumnOf(field).name + " NULLS FIRST, ";
  }
  if (index.unique) {
    keys.resize(keys.size() - 2);
  } else {
    keys += index.scoped ? "id" : "scope, id";
  }
  return "ON " + table.name + " (" + keys + ") WHERE " + WhereIndexed(table, index);
}

std::string CreateIndexSql(const Table& table, const ScanIndex& index, bool concurrently) {
  return std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX " +
         (concurrently ? "CONCURRENTLY " : "") + "IF NOT EXISTS " +
         Quoted(NameOf(table.kind, index.name)) + " " + IndexDefinition(table, index);
}

std::string CommentIndexSql(const std::string& schema, const Table& table, const ScanIndex& index) {
  return "COMMENT ON INDEX " + Quoted(schema) + "." + Quoted(NameOf(table.kind, index.name)) +
         " IS " + Literal((index.unique ? "unique " : "") + IndexDefinition(table, index));
}

std::string DropIndexSql(const std::string& schema, const std::string& index_name,
                         bool concurrently) {
  return std::string("DROP INDEX ") + (concurrently ? "CONCURRENTLY " : "") + "IF EXISTS " +
         Quoted(schema) + "." + Quoted(index_name);
}

std::vector<std::string> TriggerSql(const std::string& schema, const Table& table) {
  std::vector<std::string> statements = Trigger(
      schema, table, "by_hand", "UPDATE",
      "current_setting('a4c.writer', true) IS DISTINCT FROM 'plugin'",
      "BEGIN IF NEW.body::text IS DISTINCT FROM OLD.body::text OR NEW.tombstone IS DISTINCT "
      "FROM OLD.tombstone THEN NEW.rev := greatest(NEW.rev, OLD.rev + 1); NEW.changed_at := "
      "clock_timestamp();" +
          Assignments(table) + " END IF; RETURN NEW; END");
  std::string cleared;
  for (const Column& column : table.indexed) cleared += " NEW." + column.name + " := NULL;";
  // What a body cannot give here (PostgreSQL looks into none with an escaped NUL) the backfill
  // gives.
  const std::vector<std::string> older =
      Trigger(schema, table, "older", "INSERT OR UPDATE",
              "NEW.kind_version < " + std::to_string(table.kind.version),
              "BEGIN" + cleared + Assignments(table) +
                  " RETURN NEW; EXCEPTION WHEN data_exception THEN "
                  "RETURN NEW; END");
  statements.insert(statements.end(), older.begin(), older.end());
  return statements;
}

std::string OutdatedSql(const Table& table) {
  return "SELECT scope, id, rev, body FROM " + table.name + " WHERE kind_version < " +
         std::to_string(table.kind.version) +
         " AND (scope, id) > ($1::text, $2::text) ORDER BY scope, id LIMIT $3::bigint";
}

std::string BackfillSql(const Table& table) {
  std::string sets;
  std::string names;
  std::string arrays;
  int param = 4;
  for (const Column& column : table.indexed) {
    sets += ", " + column.name + " = u." + column.name;
    names += ", " + column.name;
    arrays += ", $" + std::to_string(param++) + "::" + column.type.name + "[]";
  }
  return "UPDATE " + table.name + " AS t SET kind_version = " + std::to_string(table.kind.version) +
         sets + " FROM unnest($1::text[], $2::text[], $3::bigint[]" + arrays +
         ") AS u(scope, id, rev" + names +
         ") WHERE t.scope = u.scope AND t.id = u.id AND t.rev = u.rev";
}

}  // namespace a4c::postgres
