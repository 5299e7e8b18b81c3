// Row-level security: the plugin's role sees a transaction's scopes alone, whatever it asks for.
#include <gtest/gtest.h>

#include "test_server.h"

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
