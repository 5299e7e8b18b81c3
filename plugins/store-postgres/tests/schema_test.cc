#include <gtest/gtest.h>

#include <set>

#include "schema/postgres_schema.h"
#include "schema/postgres_table.h"

namespace a4c::postgres {
namespace {

Kind Photo() {
  return {.name = "photo",
          .version = 3,
          .fields = {{.name = "title", .type = FieldType::kText, .searchable = true},
                     {.name = "album"},
                     {.name = "taken", .type = FieldType::kTime},
                     {.name = "slug"},
                     {.name = "views", .type = FieldType::kLong, .quiet = true},
                     {.name = "score", .type = FieldType::kDouble, .quiet = true}},
          .indexes = {{.name = "by_album", .fields = {"album", "taken"}},
                      {.name = "by_views", .fields = {"views"}, .scoped = false},
                      {.name = "by_slug", .fields = {"slug"}, .unique = true}}};
}

TEST(PostgresSchema, AKindIsATableWithAColumnPerIndexedAndPerQuietField) {
  EXPECT_EQ(
      CreateTableSql("s", Table("a4c", Photo())),
      "CREATE TABLE IF NOT EXISTS \"a4c\".\"photo\" (scope text COLLATE \"C\" NOT NULL, id text "
      "COLLATE \"C\" NOT NULL, rev bigint NOT NULL, tombstone boolean NOT NULL, body json NOT "
      "NULL, kind_version integer NOT NULL, changed_at timestamptz NOT NULL DEFAULT "
      "clock_timestamp(), \"f_album\" text COLLATE \"C\", \"f_taken\" bigint, \"f_slug\" text "
      "COLLATE \"C\", \"q_views\" bigint, \"q_score\" double precision, CONSTRAINT \"photo$key\" "
      "CHECK "
      "(octet_length(id) BETWEEN 1 AND 256 AND octet_length(scope) <= 256), CONSTRAINT "
      "\"photo$rev\" "
      "CHECK (rev BETWEEN 1 AND 4611686018427387904 AND kind_version >= 1), CONSTRAINT "
      "\"photo$body\" CHECK (json_typeof(body) = 'object'), PRIMARY KEY (scope, id)) WITH "
      "(fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = "
      "1000, "
      "autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)");
}

TEST(PostgresSchema, StorageFollowsFromWhereTheQuietFieldsStand) {
  const auto ends_with = [](const Kind& kind, const std::string& storage) {
    return CreateTableSql("s", Table("s", kind)).ends_with("WITH (" + storage + ")");
  };
  const Field seen{.name = "seen", .type = FieldType::kTime, .quiet = true};
  EXPECT_TRUE(ends_with({.name = "plain"}, "fillfactor = 90"));
  EXPECT_TRUE(ends_with({.name = "beating", .fields = {seen}}, "fillfactor = 70"));
  EXPECT_FALSE(ends_with(
      {.name = "queue", .fields = {seen}, .indexes = {{.name = "by_seen", .fields = {"seen"}}}},
      "fillfactor = 70"));
}

TEST(PostgresSchema, AnOlderTableGetsItsConstraintsWithoutStoppingAnybody) {
  const std::vector<std::string> statements = LayoutSql(Table("s", {.name = "plain"}));
  ASSERT_EQ(statements.size(), 7u);
  EXPECT_EQ(statements[0], "ALTER TABLE \"s\".\"plain\" SET (fillfactor = 90)");
  EXPECT_EQ(statements[3],
            "ALTER TABLE \"s\".\"plain\" DROP CONSTRAINT IF EXISTS \"plain$rev\", ADD CONSTRAINT "
            "\"plain$rev\" CHECK (rev BETWEEN 1 AND 4611686018427387904 AND kind_version >= 1) NOT "
            "VALID");
  EXPECT_EQ(statements[4], "ALTER TABLE \"s\".\"plain\" VALIDATE CONSTRAINT \"plain$rev\"");
}

TEST(PostgresSchema, AnIndexIsPartialAndEndsWithTheKey) {
  const Table table("a4c", Photo());
  EXPECT_EQ(
      CreateIndexSql(table, table.kind.indexes[0], false),
      "CREATE INDEX IF NOT EXISTS \"photo$by_album\" ON \"a4c\".\"photo\" (scope, \"f_album\" "
      "NULLS FIRST, \"f_taken\" NULLS FIRST, id) WHERE \"f_album\" IS NOT NULL");
  EXPECT_EQ(CreateIndexSql(table, table.kind.indexes[1], true),
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS \"photo$by_views\" ON \"a4c\".\"photo\" "
            "(\"q_views\" NULLS FIRST, scope, id) WHERE \"q_views\" IS NOT NULL");
}

TEST(PostgresSchema, AUniqueIndexBindsTheLivingAlone) {
  const Table table("a4c", Photo());
  EXPECT_EQ(CreateIndexSql(table, table.kind.indexes[2], false),
            "CREATE UNIQUE INDEX IF NOT EXISTS \"photo$by_slug\" ON \"a4c\".\"photo\" (scope, "
            "\"f_slug\" NULLS FIRST) WHERE \"f_slug\" IS NOT NULL AND NOT tombstone");
}

TEST(PostgresSchema, InsertAndUpdateTakeOneArrayPerColumn) {
  const Table table("a4c", {.name = "box",
                            .fields = {{.name = "due", .type = FieldType::kTime},
                                       {.name = "busy", .type = FieldType::kBool, .quiet = true}},
                            .indexes = {{.name = "by_due", .fields = {"due"}}}});
  const std::string insert =
      "INSERT INTO \"a4c\".\"box\" AS t (scope, id, rev, tombstone, body, kind_version, \"f_due\", "
      "\"q_busy\") SELECT scope, id, rev, tombstone, body, 1, \"f_due\", \"q_busy\" FROM "
      "unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[], $5::json[], $6::bigint[], "
      "$7::boolean[]) AS u(scope, id, rev, tombstone, body, \"f_due\", \"q_busy\")";
  EXPECT_EQ(table.insert_sql, insert);
  EXPECT_EQ(table.update_sql,
            insert +
                " ON CONFLICT (scope, id) DO UPDATE SET rev = excluded.rev, tombstone = "
                "excluded.tombstone, body = excluded.body, kind_version = excluded.kind_version, "
                "changed_at = clock_timestamp(), \"f_due\" = excluded.\"f_due\", \"q_busy\" = "
                "excluded.\"q_busy\"");
  EXPECT_EQ(
      table.lock_sql,
      "SELECT u.place, r.ctid, r.rev, r.tombstone, r.\"q_busy\" FROM unnest($1::text[], "
      "$2::text[]) WITH ORDINALITY AS u(scope, id, place), LATERAL (SELECT t.ctid, t.rev, "
      "t.tombstone, t.\"q_busy\" FROM \"a4c\".\"box\" AS t WHERE t.scope = u.scope AND t.id = "
      "u.id FOR UPDATE) AS r");
}

TEST(PostgresSchema, NamesStayWithin63BytesAndApart) {
  const std::string k40(40, 'k');
  std::set<std::string> names;
  for (const char* end : {"a", "b"}) {
    const std::string name = NameOf({.name = k40}, std::string(39, 'i') + end);
    EXPECT_LE(name.size(), 63u);
    names.insert(name);
  }
  names.insert(NameOf({.name = "a"}, "b_c"));
  names.insert(NameOf({.name = "a_b"}, "c"));
  EXPECT_EQ(names.size(), 4u);
}

TEST(PostgresSchema, IdentifiersAndLiteralsAreQuoted) {
  EXPECT_EQ(Quoted("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(Literal("it's"), "'it''s'");
}

}  // namespace
}  // namespace a4c::postgres
