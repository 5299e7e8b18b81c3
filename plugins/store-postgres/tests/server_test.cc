// What only the real server can show, and only this plugin promises.
#include <gtest/gtest.h>

#include <algorithm>

#include "a4c/migrations.h"
#include "read/postgres_scan.h"
#include "schema/postgres_table.h"
#include "tests/test_server.h"

namespace a4c::postgres {
namespace {

Kind Thing(int version = 1) {
  Kind kind{.name = "thing",
            .version = version,
            .fields = {{.name = "colour"},
                       {.name = "size", .type = FieldType::kLong},
                       {.name = "views", .type = FieldType::kLong, .quiet = true}},
            .indexes = {{.name = "by_colour", .fields = {"colour"}}}};
  if (version > 1) kind.indexes.push_back({.name = "by_size", .fields = {"size"}});
  return kind;
}

RecordRef Ref(const std::string& id) {
  return {"thing", {"", id}};
}

class PostgresByHand : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    Open({Thing()});
    ASSERT_EQ(
        Apply(
            {Put{.ref = Ref("a"), .body = R"({"colour":"red"})", .quiet = {{"views", int64_t{1}}}}})
            .outcome,
        BatchOutcome::kApplied);
  }
};

TEST_F(PostgresByHand, ARowChangedInSqlGetsANewRevAndMovesInItsIndex) {
  EXPECT_EQ(Sql("UPDATE " + TableName("thing") + " SET body = '{\"colour\":\"blue\"}'"), "1");
  EXPECT_EQ(Read(Ref("a"))->rev, 2);
  const auto blue = store_->Scan(
      Within(),
      {.kind = "thing", .index = "by_colour", .scope = "", .prefix = {std::string("blue")}});
  ASSERT_TRUE(blue.has_value());
  EXPECT_EQ(blue->records.size(), 1u);
  EXPECT_EQ(Sql("UPDATE " + TableName("thing") + " SET tombstone = true"), "1");
  EXPECT_EQ(Read(Ref("a"))->rev, 3);
}

TEST_F(PostgresByHand, AQuietColumnChangedInSqlKeepsTheRev) {
  EXPECT_EQ(Sql("UPDATE " + TableName("thing") + " SET q_views = 9"), "1");
  EXPECT_EQ(Read(Ref("a"))->rev, 1);
  EXPECT_EQ(Read(Ref("a"))->quiet.at("views"), Scalar(int64_t{9}));
}

TEST_F(PostgresByHand, ThePluginsOwnWritesAreCountedOnce) {
  ASSERT_EQ(Apply({Put{.ref = Ref("a"),
                       .body = R"({"colour":"green"})",
                       .expect = Expect::Rev(1),
                       .min_rev = 7}})
                .values,
            std::vector<int64_t>{7});
  EXPECT_EQ(Read(Ref("a"))->rev, 7);
}

class PostgresServer : public ServerTest {};

// One batch that runs into another's lock leaves those of its group alone.
TEST_F(PostgresServer, ALockedRowHoldsUpItsOwnBatchAlone) {
  Open({Thing()}, {{"lock_timeout", ConfigValue::Scalar("200ms")}});
  ASSERT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}"}, Put{.ref = Ref("b"), .body = "{}"}}).outcome,
            BatchOutcome::kApplied);
  Sql("BEGIN");
  Sql("SELECT 1 FROM " + TableName("thing") + " WHERE id = 'a' FOR UPDATE");
  const std::vector<WriteBatch> batches = {{{Put{.ref = Ref("a"), .body = "{}"}}},
                                           {{Put{.ref = Ref("b"), .body = "{}"}}}};
  const auto answer = store_->Apply(Within(), batches);
  Sql("ROLLBACK");
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_EQ(answer->results[0].outcome, BatchOutcome::kNotApplied);
  EXPECT_TRUE(answer->results[0].error->retryable());
  EXPECT_EQ(answer->results[1].outcome, BatchOutcome::kApplied);
  EXPECT_EQ(Read(Ref("a"))->rev, 1);
  EXPECT_EQ(Read(Ref("b"))->rev, 2);
}

// What PostgreSQL refuses fails the statement of the whole group: only its own batch may feel it.
TEST_F(PostgresServer, ARowThatTheServerRefusesFailsAlone) {
  Open({Thing()});
  Sql("ALTER TABLE " + TableName("thing") + " ADD CONSTRAINT no_red CHECK (f_colour <> 'red')");
  const std::vector<WriteBatch> batches = {
      {{Put{.ref = Ref("a"), .body = R"({"colour":"red"})", .expect = Expect::Absent()}}},
      {{Put{.ref = Ref("b"), .body = R"({"colour":"blue"})", .expect = Expect::Absent()}}}};
  const auto answer = store_->Apply(Within(), batches);
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_EQ(answer->results[0].outcome, BatchOutcome::kNotApplied);
  EXPECT_EQ(answer->results[0].error->code(), Code::kInvalid);
  EXPECT_EQ(answer->results[1].outcome, BatchOutcome::kApplied);
  EXPECT_FALSE(Read(Ref("a")).has_value());
}

TEST_F(PostgresServer, AnOlderInstanceGoesOnWritingWhatTheNewerOneIndexes) {
  Open({Thing()});
  const std::unique_ptr<Store> older = std::move(store_);
  Open({Thing(2)});
  const WriteBatch odd{{Put{.ref = Ref("nul"), .body = R"({"size":7,"x":"\u0000"})"}}};
  ASSERT_EQ(older->Apply(Within(), {&odd, 1})->results[0].outcome, BatchOutcome::kApplied);
  for (const char* body : {R"({"size":3})", R"({"size":4})"}) {
    const WriteBatch batch{{Put{.ref = Ref("a"), .body = body}}};
    ASSERT_EQ(older->Apply(Within(), {&batch, 1})->results[0].outcome, BatchOutcome::kApplied);
  }
  EXPECT_EQ(Sql("SELECT f_size FROM " + TableName("thing") + " WHERE id = 'a'"), "4");
  EXPECT_EQ(Sql("SELECT f_size IS NULL FROM " + TableName("thing") + " WHERE id = 'nul'"), "t");
  ASSERT_TRUE(store_->Ensure(Within(), std::vector<Kind>{Thing(2)}).has_value());
  EXPECT_EQ(Sql("SELECT f_size FROM " + TableName("thing") + " WHERE id = 'nul'"), "7")
      << "what SQL cannot read the next Ensure fills in";
}

TEST_F(PostgresServer, AnAdministratorsIndexIsLeftAloneAndOursComesBack) {
  Open({Thing()});
  Sql("CREATE INDEX \"thing$mine\" ON " + TableName("thing") + " (rev)");
  Sql("DROP INDEX \"" + name_ + "\".\"thing$by_colour\"");
  ASSERT_TRUE(store_->Ensure(Within(), std::vector<Kind>{Thing(2)}).has_value());
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_indexes WHERE schemaname = '" + name_ +
                "' AND indexname IN ('thing$mine', 'thing$by_colour', 'thing$by_size')"),
            "3");
}

TEST_F(PostgresServer, AServerThatIsNotThereIsUnavailable) {
  store_ = NewPostgresStore(
      OptionsWith({{"dsn", ConfigValue::Scalar("host=127.0.0.1 port=1 dbname=a4c user=a4c")}}),
      TheRuntime());
  const Result<void> ensured = store_->Ensure(Within(), std::vector<Kind>{Thing()});
  ASSERT_FALSE(ensured.has_value());
  EXPECT_EQ(ensured.error().code(), Code::kUnavailable);
  EXPECT_TRUE(ensured.error().retryable());
}

TEST_F(PostgresServer, AWrongPasswordIsDeniedAndNotShown) {
  store_ =
      NewPostgresStore(OptionsWith({{"password", ConfigValue::Scalar("hunter2")}}), TheRuntime());
  const Result<void> ensured = store_->Ensure(Within(), std::vector<Kind>{Thing()});
  ASSERT_FALSE(ensured.has_value());
  EXPECT_EQ(ensured.error().code(), Code::kDenied) << ensured.error().ToString();
  EXPECT_FALSE(ensured.error().hint().empty());
  EXPECT_EQ(ensured.error().ToString().find("hunter2"), std::string::npos);
}

// Lookups and pages must not depend on statistics: a table that was empty when they were planned.
class PostgresPlans : public ServerTest {
 protected:
  static Kind Job() {
    return {.name = "job",
            .fields = {{.name = "state"},
                       {.name = "due", .type = FieldType::kTime},
                       {.name = "title"},
                       {.name = "seen", .type = FieldType::kTime, .quiet = true}},
            .indexes = {{.name = "by_state", .fields = {"state", "due"}},
                        {.name = "by_due", .fields = {"due"}, .scoped = false},
                        {.name = "by_seen", .fields = {"seen"}, .scoped = false},
                        {.name = "by_title", .fields = {"title"}, .unique = true}}};
  }
};

TEST_F(PostgresPlans, ALookupIsAnIndexScanHoweverSmallTheTableWas) {
  Open({Job()});
  for (const std::string& sql : {Table(name_, Job()).get_sql, Table(name_, Job()).lock_sql}) {
    const std::string plan = PlanOf(sql);
    EXPECT_NE(plan.find("Index Scan using job_pkey"), std::string::npos) << plan;
    EXPECT_NE(plan.find("Index Cond: ((scope = u.scope) AND (id = u.id))"), std::string::npos)
        << plan;
  }
}

TEST_F(PostgresPlans, WhoHoldsAUniqueValueIsAskedOfItsIndex) {
  Open({Job()});
  const std::string plan = PlanOf(Table(name_, Job()).holder_sql.at("by_title"));
  EXPECT_NE(plan.find("Index Scan using \"job$by_title\""), std::string::npos) << plan;
}

TEST_F(PostgresPlans, EachScanReadsItsIndexInOrderAndSortsNothing) {
  Open({Job()});
  const Table table(name_, Job());
  const Kinds kinds = {{"job", Job()}};
  for (const ScanIndex& index : Job().indexes) {
    for (const bool descending : {false, true}) {
      ScanRequest request{.kind = "job", .index = index.name, .descending = descending};
      if (index.scoped) request.scope = "s";
      const auto first = CheckScan(Within(), kinds, request);
      ASSERT_TRUE(first.has_value()) << first.error().ToString();
      ScanPosition after{.values = {}, .key = {"s", "a"}};
      for (const Field* field : first->fields) {
        after.values.push_back(field->type == FieldType::kTime ? Scalar(int64_t{5})
                                                               : Scalar(std::string("x")));
      }
      for (const bool second_page : {false, true}) {
        if (second_page) request.after = ScanCursor(request, after);
        const auto plan = CheckScan(Within(), kinds, request);
        ASSERT_TRUE(plan.has_value()) << plan.error().ToString();
        const std::string text = PlanOf(ScanOf(table, *plan, request).sql);
        EXPECT_NE(text.find("using \"job$" + index.name + "\""), std::string::npos) << text;
        EXPECT_EQ(text.find("Seq Scan"), std::string::npos) << text;
        // Only rows that are alike in all fields of a unique index are put in order by their id.
        if (!index.unique) {
          EXPECT_EQ(text.find("Sort"), std::string::npos) << text;
        }
      }
    }
  }
}

class PostgresMigrations : public ServerTest {
 protected:
  std::vector<std::string> Plan(const std::vector<Kind>& kinds) {
    auto plan = store_->As<Migrations>()->Plan(Within(), kinds);
    EXPECT_TRUE(plan.has_value()) << plan.error().ToString();
    return plan ? *std::move(plan) : std::vector<std::string>();
  }
};

TEST_F(PostgresMigrations, APlanChangesNothingAndIsWhatEnsureDoes) {
  store_ = NewPostgresStore(OptionsWith(), TheRuntime());
  const std::vector<std::string> plan = Plan({Thing()});
  EXPECT_EQ(Sql("SELECT to_regnamespace('\"" + name_ + "\"') IS NULL"), "t");
  for (const std::string& statement : plan) Sql(statement);
  EXPECT_TRUE(Plan({Thing()}).empty()) << "the statements are all that it takes";
  Open({Thing()});
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .body = R"({"size":7})"}}).outcome, BatchOutcome::kApplied);
  const std::vector<std::string> next = Plan({Thing(2)});
  EXPECT_NE(std::ranges::find_if(next,
                                 [](const std::string& statement) {
                                   return statement.starts_with("CREATE INDEX CONCURRENTLY");
                                 }),
            next.end());
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'thing$by_size' AND "
                "schemaname = '" +
                name_ + "'"),
            "0");
}

TEST_F(PostgresMigrations, ATableOfTheFirstLayoutGetsWhatItLacks) {
  Open({Thing()});
  ASSERT_EQ(Apply({Put{.ref = Ref("a"), .body = "{}"}}).outcome, BatchOutcome::kApplied);
  const std::string table = TableName("thing");
  for (const char* part : {"key", "rev", "body"}) {
    Sql("ALTER TABLE " + table + " DROP CONSTRAINT \"thing$" + part + "\"");
  }
  Sql("ALTER TABLE " + table + " RESET (fillfactor)");
  Sql("ALTER TABLE \"" + name_ + "\".\"_kinds\" DROP COLUMN layout");
  ASSERT_TRUE(store_->Ensure(Within(), std::vector<Kind>{Thing()}).has_value());
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND convalidated AND "
                "conrelid = '" +
                table + "'::regclass"),
            "3");
  EXPECT_EQ(Sql("SELECT 'fillfactor=70' = ANY (reloptions) FROM pg_class WHERE oid = '" + table +
                "'::regclass"),
            "t");
  EXPECT_TRUE(Plan({Thing()}).empty());
}

// What only a hand, or a fault of ours, could write.
TEST_F(PostgresMigrations, WrongRowsAreImpossible) {
  Open({Thing()});
  const std::string insert =
      "INSERT INTO " + TableName("thing") + " (scope, id, rev, tombstone, body, kind_version) ";
  for (const char* values :
       {"VALUES ('', '', 1, false, '{}', 1)", "VALUES ('', 'a', 0, false, '{}', 1)",
        "VALUES ('', 'a', 1, false, '[]', 1)", "VALUES ('', 'a', 1, false, '{}', 0)",
        "VALUES (repeat('x', 257), 'a', 1, false, '{}', 1)"}) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(sql_.get(), (insert + values).c_str()), PQclear);
    EXPECT_STREQ(PQresultErrorField(result.get(), PG_DIAG_SQLSTATE), "23514") << values;
  }
}

}  // namespace
}  // namespace a4c::postgres
