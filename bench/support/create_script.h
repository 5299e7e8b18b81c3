// What pgbench writes as the peer of creates: the rows of one that a4cd made (job, outbox,
// idempotency, audit) with other ids, as one statement; or those of many creates as one statement.
#pragma once

#include <string>

#include "bench/support/sql.h"

namespace a4c::bench {

// Ids that grow, as a4cd's do, from pgbench's variables run and n. `client`: an expression.
inline std::string PgbenchKey(const std::string& client) {
  return "('01a2' || lpad((:run)::text, 4, '0') || '-' || lpad((:n)::text, 10, '0') || '-' || (" +
         client + ")::text)";
}

// A row that a4cd wrote, with another id. pgbench takes ":word" for a variable even in a literal,
// so there is no colon in them.
inline std::string InsertScript(Sql& sql, const std::string& table, long creates) {
  const std::string literal =
      R"(coalesce('E''' || replace(replace(replace(value, '\', '\\'), '''', ''''''), ':', '\x3a'))"
      R"( || '''', 'NULL'))";
  const std::string values =
      sql.Ask("SELECT string_agg(CASE key WHEN 'id' THEN '@' ELSE " + literal +
              " END, ', ' ORDER BY attnum) FROM (SELECT * FROM " + table +
              " LIMIT 1) AS one, LATERAL json_each_text(to_json(one)) JOIN pg_attribute ON "
              "attname = key AND attrelid = '" +
              table + "'::regclass")
          .at(0);
  const size_t at = values.find("@, ");
  if (at == std::string::npos) Die(table + " has no id");
  const std::string key = PgbenchKey(creates == 1 ? ":client_id" : ":client_id * 10000 + i");
  const std::string row = values.substr(0, at) + key + values.substr(at + 1);
  if (creates == 1) return "INSERT INTO " + table + " VALUES (" + row + ")";
  return "INSERT INTO " + table + " SELECT " + row + " FROM generate_series(1, " +
         std::to_string(creates) + ") AS i";
}

// Of the tables of the schema that have a row for each job. Run with -D n=0 -D run=NUMBER.
inline std::string CreateScript(Sql& sql, const std::string& schema, long creates = 1) {
  const std::string jobs = sql.Ask("SELECT count(*) FROM " + schema + ".job").at(0);
  std::string others;
  size_t tables = 0;
  for (const std::string& table :
       sql.Ask("SELECT relname FROM pg_class WHERE relname <> 'job' AND relkind IN ('r', 'p') AND "
               "NOT relispartition AND relnamespace = '" +
               schema + "'::regnamespace")) {
    const std::string name = schema + "." + table;
    if (sql.Ask("SELECT count(*) FROM " + name).at(0) != jobs) continue;
    others += (others.empty() ? "WITH " : ", ") + table + " AS (" +
              InsertScript(sql, name, creates) + ")";
    ++tables;
  }
  if (tables < 2) Die("creates left fewer rows than a job, an outbox and a key");
  return "\\set n :n + 1\n" + others + " " + InsertScript(sql, schema + ".job", creates) + ";\n";
}

}  // namespace a4c::bench
