// Row-level security: the plugin's role sees a transaction's scopes alone, whatever it asks for.
#include <gtest/gtest.h>

#include "read/postgres_rows.h"
#include "session/postgres_connector.h"
#include "tests/test_server.h"
#include "write/postgres_lanes.h"

namespace a4c::postgres {
namespace {

constexpr const char* kPassword = "bound-1";

std::vector<Kind> Kinds() {
  return {{.name = "thing",
           .fields = {{.name = "colour"}},
           .indexes = {{.name = "by_colour", .fields = {"colour"}, .scoped = false}}}};
}

class PostgresRowSecurity : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped()) return;
    const char* admin = std::getenv("A4C_TEST_POSTGRES_ADMIN_DSN");
    if (admin == nullptr) {
      ASSERT_FALSE(IsRequired()) << "needs A4C_TEST_POSTGRES_ADMIN_DSN";
      GTEST_SKIP() << "needs A4C_TEST_POSTGRES_ADMIN_DSN, to make a role";
    }
    admin_.reset(PQconnectdb(admin));
    ASSERT_EQ(PQstatus(admin_.get()), CONNECTION_OK) << PQerrorMessage(admin_.get());
    Run(admin_.get(), "CREATE ROLE \"" + name_ + "\" LOGIN PASSWORD '" + kPassword + "'");
  }
  void TearDown() override {
    ServerTest::TearDown();
    if (admin_ != nullptr) Run(admin_.get(), "DROP ROLE IF EXISTS \"" + name_ + "\"");
  }

  std::string BoundDsn() const { return dsn_ + " user=" + name_ + " password=" + kPassword; }

  Settings Secured() const {
    return {{"dsn", ConfigValue::Scalar(BoundDsn())},
            {"row_security", ConfigValue::Scalar("true")},
            {"background_dsn", ConfigValue::Scalar(dsn_)}};
  }

  // The SQLSTATE, or what the first row says, or how many rows changed.
  static std::string Run(PGconn* connection, const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, sql.c_str()),
                                                               PQclear);
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
      return PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    }
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : PQcmdTuples(result.get());
  }

  Result<void> EnsureWith(Settings settings) {
    store_ = NewPostgresStore(OptionsWith(std::move(settings)), TheRuntime());
    return store_->Ensure(Within(), Kinds());
  }

  static RecordRef Ref(const std::string& scope, const std::string& id) {
    return {"thing", {scope, id}};
  }

  std::unique_ptr<PGconn, decltype(&PQfinish)> admin_{nullptr, PQfinish};
};

TEST_F(PostgresRowSecurity, AQueryInTheWrongScopeSeesNothingAndChangesNothing) {
  Open(Kinds(), Secured());
  ASSERT_EQ(
      Apply({Put{.ref = Ref("s1", "a"), .body = "{}"}, Put{.ref = Ref("s2", "b"), .body = "{}"}})
          .outcome,
      BatchOutcome::kApplied);
  const std::unique_ptr<PGconn, decltype(&PQfinish)> bound(PQconnectdb(BoundDsn().c_str()),
                                                           PQfinish);
  const auto run = [&](const std::string& sql) { return Run(bound.get(), sql); };
  const std::string table = TableName("thing");
  EXPECT_EQ(run("SELECT count(*) FROM " + table), "0") << "without a scope nothing is there";
  run("SET a4c.scopes = '{s1}'");
  EXPECT_EQ(run("SELECT string_agg(id, '') FROM " + table), "a");
  EXPECT_EQ(run("UPDATE " + table + " SET body = '{}' WHERE id = 'b'"), "0");
  EXPECT_EQ(run("DELETE FROM " + table + " WHERE id = 'b'"), "0");
  EXPECT_EQ(run("INSERT INTO " + table +
                " (scope, id, rev, tombstone, body, kind_version) VALUES ('s2', 'c', 1, false, "
                "'{}', 1)"),
            "42501");
  EXPECT_EQ(run("ALTER TABLE " + table + " DISABLE ROW LEVEL SECURITY"), "42501");
  EXPECT_EQ(run("SET row_security = off; SELECT count(*) FROM " + table), "42501");
}

TEST_F(PostgresRowSecurity, TheStoreWorksInEveryScopeItIsAskedFor) {
  Open(Kinds(), Secured());
  const std::string odd = R"(a "quoted", \scope{})";
  for (const std::string& scope : {std::string(), std::string("s1"), odd}) {
    ASSERT_EQ(Apply({Put{.ref = Ref(scope, "a"),
                         .body = R"({"colour":"red"})",
                         .expect = Expect::Absent()}})
                  .outcome,
              BatchOutcome::kApplied);
    EXPECT_EQ(
        Apply({Put{.ref = Ref(scope, "a"), .body = "{}", .expect = Expect::Absent()}}).outcome,
        BatchOutcome::kConflict);
    EXPECT_EQ(
        Apply(
            {Put{.ref = Ref(scope, "a"), .body = R"({"colour":"blue"})", .expect = Expect::Rev(1)}})
            .outcome,
        BatchOutcome::kApplied);
    EXPECT_EQ(Read(Ref(scope, "a"))->rev, 2);
    const auto own = store_->Scan(Within(), {.kind = "thing", .scope = scope});
    ASSERT_TRUE(own.has_value()) << own.error().ToString();
    EXPECT_EQ(own->records.size(), 1u);
  }
  const auto all = store_->Scan(Within(), {.kind = "thing", .index = "by_colour"});
  ASSERT_TRUE(all.has_value()) << all.error().ToString();
  EXPECT_EQ(all->records.size(), 3u) << "what works over all scopes has a role of its own";
  EXPECT_EQ(Apply({Delete{.ref = Ref(odd, "a")}, Delete{.ref = Ref("s1", "a")}}).outcome,
            BatchOutcome::kApplied);
  EXPECT_FALSE(Read(Ref(odd, "a")).has_value());
}

TEST_F(PostgresRowSecurity, ARoleThatItDoesNotBindIsRefused) {
  Settings owner = Secured();
  owner["dsn"] = ConfigValue::Scalar(dsn_);
  const Result<void> as_owner = EnsureWith(owner);
  ASSERT_FALSE(as_owner.has_value());
  EXPECT_NE(as_owner.error().message().find("owns the tables"), std::string::npos)
      << as_owner.error().ToString();
  Run(admin_.get(), "ALTER ROLE \"" + name_ + "\" BYPASSRLS");
  const Result<void> as_bypass = EnsureWith(Secured());
  ASSERT_FALSE(as_bypass.has_value());
  EXPECT_NE(as_bypass.error().message().find("BYPASSRLS"), std::string::npos)
      << as_bypass.error().ToString();
}

TEST_F(PostgresRowSecurity, ItCanBeSwitchedOnLaterAndIsNotForgotten) {
  Open(Kinds());
  ASSERT_EQ(Apply({Put{.ref = Ref("s1", "a"), .body = "{}"}}).outcome, BatchOutcome::kApplied);
  Open(Kinds(), Secured());
  EXPECT_TRUE(Read(Ref("s1", "a")).has_value());
  const Result<void> forgotten = EnsureWith({});
  ASSERT_FALSE(forgotten.has_value());
  EXPECT_EQ(forgotten.error().code(), Code::kInvalid) << "instead of an empty store";
}

// The engine's own check left out: what a call is bound to is the server's to hold.
class PostgresUncheckedCall : public PostgresRowSecurity {
 protected:
  void SetUp() override {
    PostgresRowSecurity::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Open(Kinds(), Secured());
    ASSERT_EQ(Apply({Put{.ref = Ref("theirs", "a"), .body = R"({"secret":1})"}}).outcome,
              BatchOutcome::kApplied);
    options_ = OptionsWith(Secured());
    connector_.emplace(Connector::Wanted::kPrimary, options_.conninfos, options_, timeline_seen_,
                       TheRuntime());
    auto session = connector_->Connect(Within());
    ASSERT_TRUE(session.has_value()) << session.error().ToString();
    session_ = *std::move(session);
    catalog_.row_security = true;
    for (const Kind& kind : Kinds()) {
      catalog_.kinds[kind.name] = kind;
      catalog_.tables[kind.name] = std::make_shared<const Table>(name_, kind);
    }
    bound_.scopes = &mine_;
  }

  // As both lanes would do it for a bound call that names "theirs" all the same.
  void ExpectRefused(std::vector<Op> ops) {
    const WriteBatch batch{std::move(ops)};
    std::vector<BatchResult> results(1);
    const std::vector<Item> items = ItemsOf(Within(), catalog_, {&batch, 1}, results);
    ASSERT_EQ(items.size(), 1u);
    for (const auto lane : {CreateAll, DecideAll}) {
      if (lane == CreateAll && !items[0].create) continue;
      const Attempt attempt = lane(bound_, *session_, catalog_, {&items[0]}, Within().deadline_ms);
      const bool decided = attempt.fate == Fate::kDecided &&
                           attempt.results.at(0).outcome == BatchOutcome::kConflict;
      const bool refused =
          attempt.fate == Fate::kRolledBack && attempt.failure->sqlstate == "42501";
      EXPECT_TRUE(decided || refused) << attempt.why;
    }
    EXPECT_EQ(Sql("SELECT string_agg(rev || body::text, '') FROM " + TableName("thing")),
              R"(1{"secret":1})");
  }

  const ScopeSet mine_ = {"mine"};
  Call bound_ = Within();
  Options options_;
  std::atomic<int64_t> timeline_seen_ = 0;
  std::optional<Connector> connector_;
  std::unique_ptr<Session> session_;
  Catalog catalog_;
};

TEST_F(PostgresUncheckedCall, WritesNothingElsewhere) {
  ExpectRefused({Put{.ref = Ref("theirs", "b"), .body = "{}", .expect = Expect::Absent()}});
  ExpectRefused({Put{.ref = Ref("theirs", "a"), .body = "{}", .expect = Expect::Rev(1)}});
  ExpectRefused({Put{.ref = Ref("theirs", "b"), .body = "{}"}});
  ExpectRefused({Delete{.ref = Ref("theirs", "a"), .expect = Expect::Rev(1)}});
  ExpectRefused({Check{.ref = Ref("theirs", "a"), .rev = 1}});
}

TEST_F(PostgresUncheckedCall, ReadsNothingElsewhere) {
  const Key key{"theirs", "a"};
  const std::vector<Statement> statements{OpeningOf(bound_, true, {"theirs"}),
                                          KeyedBy(catalog_.TableOf("thing").get_sql, {&key}),
                                          {"SELECT 1 FROM " + TableName("thing")}};
  const Reply reply = session_->Run(statements, Within().deadline_ms);
  ASSERT_FALSE(reply.failure) << reply.failure->error.ToString();
  EXPECT_EQ(reply.rows.at(1).size(), 0);
  EXPECT_EQ(reply.rows.at(2).size(), 0);
}

TEST_F(PostgresRowSecurity, ACallBoundToItsScopesWorksInThem) {
  Open(Kinds(), Secured());
  const ScopeSet mine = {"mine", "mine too"};
  Call bound = Within();
  bound.scopes = &mine;
  const WriteBatch batch{{Put{.ref = Ref("mine", "a"), .body = "{}", .expect = Expect::Absent()},
                          Put{.ref = Ref("mine too", "a"), .body = "{}"}}};
  const auto answer = store_->Apply(bound, {&batch, 1});
  ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
  EXPECT_EQ(answer->results.at(0).outcome, BatchOutcome::kApplied);
  const RecordRef ref = Ref("mine", "a");
  const auto found = store_->Get(bound, {&ref, 1});
  ASSERT_TRUE(found.has_value()) << found.error().ToString();
  EXPECT_TRUE(found->records.at(0).has_value());
  const auto page = store_->Scan(bound, {.kind = "thing", .scope = "mine too"});
  ASSERT_TRUE(page.has_value()) << page.error().ToString();
  EXPECT_EQ(page->records.size(), 1u);
}

Kind Line() {
  return {.name = "line",
          .fields = {{.name = "at", .type = FieldType::kTime}},
          .indexes = {{.name = "by_age", .fields = {"at"}, .scoped = false}},
          .age_field = "at",
          .append_only = true};
}

TEST_F(PostgresRowSecurity, WhatIsWrittenOnceTheRoleMayInsertAndReadAndNothingElse) {
  Open({Line()}, Secured());
  const auto make = [](const std::string& id) {
    return Put{.ref = {"line", {"s", id}}, .body = R"({"at":1})", .expect = Expect::Absent()};
  };
  EXPECT_EQ(Apply({make("a")}).outcome, BatchOutcome::kApplied);
  EXPECT_EQ(Apply({make("b"), Check{.ref = {"line", {"s", "a"}}}}).outcome, BatchOutcome::kApplied)
      << "also where rows are looked up first";
  EXPECT_EQ(Apply({make("a")}).outcome, BatchOutcome::kConflict);
  const std::unique_ptr<PGconn, decltype(&PQfinish)> bound(PQconnectdb(BoundDsn().c_str()),
                                                           PQfinish);
  const auto run = [&](const std::string& sql) { return Run(bound.get(), sql); };
  const std::string table = TableName("line");
  run("SET a4c.scopes = '{s}'");
  EXPECT_EQ(run("SELECT count(*) FROM " + table), "2");
  for (const char* change : {"UPDATE %s SET body = '{}'", "DELETE FROM %s", "TRUNCATE %s",
                             "SELECT 1 FROM %s FOR UPDATE", "DROP TABLE %s"}) {
    std::string sql = change;
    sql.replace(sql.find("%s"), 2, table);
    EXPECT_EQ(run(sql), "42501") << sql;
    run("SET a4c.writer = 'plugin'");
  }
  EXPECT_EQ(run("SELECT 1 FROM \"" + name_ + "\".\"line$part_0\""), "42501")
      << "nor past the table";
}

TEST_F(PostgresRowSecurity, WhatIsWrittenOnceItsOwnerDoesNotChangeByMistake) {
  Open({Line()});
  ASSERT_EQ(
      Apply({Put{.ref = {"line", {"s", "a"}}, .body = R"({"at":1})", .expect = Expect::Absent()}})
          .outcome,
      BatchOutcome::kApplied);
  for (const char* change : {"UPDATE %s SET body = '{}'", "DELETE FROM %s", "TRUNCATE %s"}) {
    std::string sql = change;
    sql.replace(sql.find("%s"), 2, TableName("line"));
    EXPECT_EQ(Run(sql_.get(), sql), "42501") << sql;
  }
}

TEST_F(PostgresRowSecurity, WhatIsUniqueOverAllScopesIsRefused) {
  store_ = NewPostgresStore(OptionsWith(Secured()), TheRuntime());
  Kind kind = Kinds()[0];
  kind.indexes[0].unique = true;
  const Result<void> refused = store_->Ensure(Within(), std::vector<Kind>{kind});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace a4c::postgres
