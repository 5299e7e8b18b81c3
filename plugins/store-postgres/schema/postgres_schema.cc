#include "schema/postgres_schema.h"

#include <algorithm>

#include "a4c/batch_rules.h"
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

struct Constraint {
  std::string name;  // quoted
  std::string check;
};

std::vector<Constraint> ConstraintsOf(const Table& table) {
  const auto named = [&](const char* part) { return Quoted(NameOf(table.kind, part)); };
  return {
      {named("key"), "CHECK (octet_length(id) BETWEEN 1 AND 256 AND octet_length(scope) <= 256)"},
      {named("rev"),
       "CHECK (rev BETWEEN 1 AND " + std::to_string(kRevMax) + " AND kind_version >= 1)"},
      {named("body"), "CHECK (json_typeof(body) = 'object')"}};
}

// Work that is taken and put off moves in an index by a quiet field, and goes when it is done: an
// outbox, a queue, what expires.
bool IsQueue(const Kind& kind) {
  return std::ranges::any_of(kind.indexes, [&](const ScanIndex& index) {
    return std::ranges::any_of(
        index.fields, [&](const std::string& name) { return FindField(kind, name)->quiet; });
  });
}

bool HasQuiet(const Kind& kind) {
  return std::ranges::any_of(kind.fields, &Field::quiet);
}

// Dead rows of a queue are cleaned up by their number, not by their share of a table that was large
// once. Heartbeats and counters, which stand in no index, find room on the row's own page.
std::string StorageOf(const Kind& kind) {
  if (IsQueue(kind)) {
    return "fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = "
           "1000, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0";
  }
  return HasQuiet(kind) ? "fillfactor = 70" : "fillfactor = 90";
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

// A unique index holds no id, so it cannot be in the whole order of a scan: PostgreSQL sorts the
// few rows that are alike in the fields by itself.
std::string DefinitionOn(const std::string& on, const Table& table, const ScanIndex& index) {
  std::string keys = index.scoped ? "scope, " : "";
  for (const std::string& field : index.fields) {
    keys += table.ColumnOf(field).name + " NULLS FIRST, ";
  }
  if (index.unique) {
    keys.resize(keys.size() - 2);
  } else {
    keys += index.scoped ? "id" : "scope, id";
  }
  return "ON " + on + " (" + keys + ") WHERE " + WhereIndexed(table, index);
}

std::vector<std::string> ByHandTrigger(const std::string& schema, const Table& table) {
  return Trigger(
      schema, table, "by_hand", "UPDATE",
      "current_setting('a4c.writer', true) IS DISTINCT FROM 'plugin'",
      "BEGIN IF NEW.body::text IS DISTINCT FROM OLD.body::text OR NEW.tombstone IS DISTINCT "
      "FROM OLD.tombstone THEN NEW.rev := greatest(NEW.rev, OLD.rev + 1); NEW.changed_at := "
      "clock_timestamp();" +
          Assignments(table) + " END IF; RETURN NEW; END");
}

// The migration fills columns of new indexes; nobody else changes a row, whatever his rights.
std::vector<std::string> OnceTriggers(const std::string& schema, const Table& table) {
  const std::string refuse =
      "BEGIN RAISE insufficient_privilege USING MESSAGE = 'rows of ' || TG_TABLE_NAME || ' are "
      "written once'; END";
  std::vector<std::string> statements =
      Trigger(schema, table, "once", "UPDATE OR DELETE",
              "current_setting('a4c.writer', true) IS DISTINCT FROM 'migration'", refuse);
  const std::string name = Quoted(NameOf(table.kind, "once_all"));
  statements.push_back("CREATE OR REPLACE TRIGGER " + name + " BEFORE TRUNCATE ON " + table.name +
                       " FOR EACH STATEMENT EXECUTE FUNCTION " + Quoted(schema) + "." +
                       Quoted(NameOf(table.kind, "once")) + "()");
  return statements;
}

}  // namespace

std::string NameOf(const Kind& kind, const std::string& part) {
  std::string name = kind.name + "$" + part;
  if (name.size() <= kNameMax) return name;
  const std::string hash = std::to_string(BodyHash(name));
  return name.substr(0, kNameMax - 1 - hash.size()) + "$" + hash;
}

std::string KindsTable(const std::string& schema) {
  return Quoted(schema) + ".\"_kinds\"";
}

std::string LockKey(const std::string& schema) {
  return "hashtextextended(" + Literal("a4c." + schema) + ", 0)";
}

std::string PartName(const std::string& schema, const Kind& kind, int64_t part) {
  return Quoted(schema) + "." + Quoted(NameOf(kind, "part_" + std::to_string(part)));
}

std::string PartsSql(const Table& table) {
  return "SELECT substring(c.relname FROM '[0-9]+$') FROM pg_inherits AS i JOIN pg_class AS c ON "
         "c.oid = i.inhrelid WHERE i.inhparent = to_regclass(" +
         Literal(table.name) + ") ORDER BY substring(c.relname FROM '[0-9]+$')::bigint";
}

std::string CreatePartSql(const std::string& schema, const Table& table, int64_t part) {
  return "CREATE TABLE IF NOT EXISTS " + PartName(schema, table.kind, part) + " PARTITION OF " +
         table.name + " FOR VALUES IN (" + std::to_string(part) + ") WITH (" +
         StorageOf(table.kind) + ")";
}

std::vector<std::string> PartFunctionsSql(const std::string& schema) {
  const std::string create = "CREATE OR REPLACE FUNCTION " + Quoted(schema) + ".";
  return {create +
              "\"_taken\"() RETURNS bigint LANGUAGE plpgsql AS $a4c$ BEGIN RAISE unique_violation "
              "USING MESSAGE = 'the key is in an older part'; END $a4c$",
          create +
              "\"_part\"(kind text) RETURNS bigint LANGUAGE sql STABLE AS $a4c$ SELECT part "
              "FROM " +
              KindsTable(schema) + " WHERE name = kind $a4c$"};
}

std::string CreateTableSql(const std::string& schema, const Table& table) {
  std::string sql = "CREATE TABLE IF NOT EXISTS " + table.name +
                    " (scope text COLLATE \"C\" NOT NULL, id text COLLATE \"C\" NOT NULL, "
                    "rev bigint NOT NULL, tombstone boolean NOT NULL, body json NOT NULL, "
                    "kind_version integer NOT NULL, "
                    "changed_at timestamptz NOT NULL DEFAULT clock_timestamp()";
  for (const auto* columns : {&table.indexed, &table.quiet}) {
    for (const Column& column : *columns) sql += ", " + Definition(column);
  }
  for (const Constraint& constraint : ConstraintsOf(table)) {
    sql += ", CONSTRAINT " + constraint.name + " " + constraint.check;
  }
  if (table.parted) {
    return sql + ", part bigint NOT NULL DEFAULT " + Quoted(schema) + ".\"_part\"(" +
           Literal(table.kind.name) + "), PRIMARY KEY (scope, id, part)) PARTITION BY LIST (part)";
  }
  return sql + ", PRIMARY KEY (scope, id)) WITH (" + StorageOf(table.kind) + ")";
}

std::vector<std::string> PartTableSql(const std::string& schema, const Table& table,
                                      const std::vector<ScanIndex>& there,
                                      const std::vector<std::string>& row_security) {
  const Kind& kind = table.kind;
  const std::string in_schema = Quoted(schema) + ".";
  const std::string first = PartName(schema, kind, 0);
  const std::string check = Quoted(NameOf(kind, "part"));
  const std::string key = Quoted(NameOf(kind, "part_key"));
  std::string swap = "DO $swap$ BEGIN LOCK TABLE " + table.name + " IN ACCESS EXCLUSIVE MODE; ";
  const auto then = [&](const std::string& sql) { swap += sql + "; "; };
  then("ALTER TABLE " + table.name + " DROP CONSTRAINT " + Quoted(kind.name + "_pkey") +
       ", ADD PRIMARY KEY USING INDEX " + key + ", ALTER COLUMN part DROP DEFAULT");
  for (const char* trigger : {"by_hand", "older", "once", "once_all"}) {
    then("DROP TRIGGER IF EXISTS " + Quoted(NameOf(kind, trigger)) + " ON " + table.name);
  }
  for (const ScanIndex& index : there) {
    then("ALTER INDEX " + in_schema + Quoted(NameOf(kind, index.name)) + " RENAME TO " +
         Quoted(NameOf(kind, index.name + "_part_0")));
  }
  then("ALTER TABLE " + table.name + " RENAME TO " + Quoted(NameOf(kind, "part_0")));
  then(CreateTableSql(schema, table));
  then("ALTER TABLE " + table.name + " ATTACH PARTITION " + first + " FOR VALUES IN (0)");
  // Each finds the one that the part has already.
  for (const ScanIndex& index : there) {
    then(CreateIndexSql(table, index, false));
    then(CommentIndexSql(schema, table, index));
  }
  for (const std::string& sql : TriggerSql(schema, table)) then(sql);
  for (const std::string& sql : row_security) then(sql);
  const std::string alter = "ALTER TABLE " + table.name + " ";
  return {alter + "ADD COLUMN IF NOT EXISTS part bigint NOT NULL DEFAULT 0",
          alter + "DROP CONSTRAINT IF EXISTS " + check + ", ADD CONSTRAINT " + check +
              " CHECK (part = 0) NOT VALID",
          alter + "VALIDATE CONSTRAINT " + check,
          "DROP INDEX IF EXISTS " + in_schema + key,
          "CREATE UNIQUE INDEX CONCURRENTLY " + key + " ON " + table.name + " (scope, id, part)",
          swap + "END $swap$"};
}

std::vector<std::string> LayoutSql(const Table& table) {
  std::vector<std::string> statements;
  // A part has its own, from when it was made.
  if (!table.parted) {
    statements.push_back("ALTER TABLE " + table.name + " SET (" + StorageOf(table.kind) + ")");
  }
  for (const Constraint& constraint : ConstraintsOf(table)) {
    statements.push_back("ALTER TABLE " + table.name + " DROP CONSTRAINT IF EXISTS " +
                         constraint.name + ", ADD CONSTRAINT " + constraint.name + " " +
                         constraint.check + " NOT VALID");
    statements.push_back("ALTER TABLE " + table.name + " VALIDATE CONSTRAINT " + constraint.name);
  }
  return statements;
}

std::vector<std::string> RowSecuritySql(const std::string& schema, const Table& table,
                                        const std::string& user) {
  // Asked for once a statement, not once a row; without a setting there is no scope.
  const std::string in_scope =
      "(scope = ANY (ARRAY(SELECT unnest(nullif(current_setting('a4c.scopes', true), "
      "'')::text[]))))";
  const std::string on = " ON " + table.name;
  const bool once = table.kind.append_only;
  const std::string granted = once ? "SELECT, INSERT" : "SELECT, INSERT, UPDATE, DELETE";
  const std::string revoked = once ? "UPDATE, DELETE, TRUNCATE" : "TRUNCATE";
  // In one transaction: without a policy the table would seem to be empty.
  return {"GRANT USAGE ON SCHEMA " + Quoted(schema) + " TO " + Quoted(user),
          "GRANT SELECT ON " + Quoted(schema) + ".\"_kinds\" TO " + Quoted(user),
          "GRANT " + granted + on + " TO " + Quoted(user),
          "REVOKE " + revoked + on + " FROM " + Quoted(user),
          "DO $a4c$ BEGIN DROP POLICY IF EXISTS a4c_scopes" + on + "; CREATE POLICY a4c_scopes" +
              on + " TO " + Quoted(user) + " USING " + in_scope + " WITH CHECK " + in_scope +
              "; DROP POLICY IF EXISTS a4c_background" + on + "; CREATE POLICY a4c_background" +
              on + " TO CURRENT_USER USING (true) WITH CHECK (true); ALTER TABLE " + table.name +
              " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; END $a4c$"};
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

std::string IndexDefinition(const Table& table, const ScanIndex& index) {
  return DefinitionOn(table.name, table, index);
}

std::string CreateIndexOnlySql(const Table& table, const ScanIndex& index) {
  return "CREATE INDEX IF NOT EXISTS " + Quoted(NameOf(table.kind, index.name)) + " " +
         DefinitionOn("ONLY " + table.name, table, index);
}

std::vector<std::string> CreatePartIndexSql(const std::string& schema, const Table& table,
                                            const ScanIndex& index, int64_t part) {
  const std::string in_schema = Quoted(schema) + ".";
  const std::string name = Quoted(NameOf(table.kind, index.name + "_part_" + std::to_string(part)));
  return {"DROP INDEX IF EXISTS " + in_schema + name,
          "CREATE INDEX CONCURRENTLY " + name + " " +
              DefinitionOn(PartName(schema, table.kind, part), table, index),
          "ALTER INDEX " + in_schema + Quoted(NameOf(table.kind, index.name)) +
              " ATTACH PARTITION " + in_schema + name};
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
  std::vector<std::string> statements =
      table.kind.append_only ? OnceTriggers(schema, table) : ByHandTrigger(schema, table);
  if (table.kind.version == 1) return statements;  // nobody writes an older one
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
