// What the tests on a real server share: an index in a schema of the test's own, and SQL beside it.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "a4c/sinks.h"
#include "postgres_index.h"
#include "postgres_options.h"

namespace a4c::search_postgres {

inline const Runtime& TheRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

inline Call Within(int64_t timeout_ms = 60'000) {
  return Call::Within(TheRuntime().clock, timeout_ms);
}

inline Kind PhotoKind() {
  return Kind{.name = "photo",
              .fields = {{.name = "album", .type = FieldType::kKeyword, .searchable = true},
                         {.name = "title", .type = FieldType::kText, .searchable = true},
                         {.name = "views", .type = FieldType::kLong, .searchable = true},
                         {.name = "rating", .type = FieldType::kDouble, .searchable = true},
                         {.name = "shown", .type = FieldType::kBool, .searchable = true},
                         {.name = "taken_at", .type = FieldType::kTime, .searchable = true},
                         {.name = "labels", .type = FieldType::kMap, .searchable = true}}};
}

class ServerTest : public testing::Test {
 protected:
  using Settings = std::map<std::string, ConfigValue, std::less<>>;

  void SetUp() override {
    const char* dsn = std::getenv("A4C_TEST_POSTGRES_DSN");
    if (dsn == nullptr) {
      const bool required = std::getenv("CI") || std::getenv("A4C_REQUIRE_SERVERS");
      ASSERT_FALSE(required) << "needs A4C_TEST_POSTGRES_DSN";
      GTEST_SKIP() << "needs A4C_TEST_POSTGRES_DSN";
    }
    name_ = "a4c_s" + std::to_string(TheRuntime().random.Next());
    dsn_ = std::string(dsn) + " application_name=" + name_;
    sql_.reset(PQconnectdb(dsn));
    ASSERT_EQ(PQstatus(sql_.get()), CONNECTION_OK) << PQerrorMessage(sql_.get());
    Sql("SET client_min_messages = warning");
    index_ = Open();
  }
  void TearDown() override {
    index_.reset();
    if (sql_ != nullptr) Sql("DROP SCHEMA IF EXISTS \"" + name_ + "\" CASCADE");
  }

  Options OptionsWith(Settings settings = {}) const {
    settings.try_emplace("dsn", ConfigValue::Scalar(dsn_));
    settings["schema"] = ConfigValue::Scalar(name_);
    return *ReadOptions(*CheckConfig(ConfigValue::Map(std::move(settings)), kKeys));
  }
  std::unique_ptr<SearchIndex> Open(Settings settings = {}, const Kind& kind = PhotoKind()) const {
    auto index = NewPostgresIndex(OptionsWith(std::move(settings)), TheRuntime());
    const Result<void> ensured = index->Ensure(Within(), {&kind, 1});
    EXPECT_TRUE(ensured) << ensured.error().ToString();
    return index;
  }

  // The first value of the first row, or the number of rows that changed.
  std::string Sql(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(sql_.get(), sql.c_str()),
                                                               PQclear);
    EXPECT_NE(PQresultStatus(result.get()), PGRES_FATAL_ERROR) << PQerrorMessage(sql_.get());
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : PQcmdTuples(result.get());
  }
  std::string Table() const { return "\"" + name_ + "\".\"photo.1\""; }

  static Document Photo(const std::string& id, int64_t rev, std::string body) {
    return {.ref = {"photo", {"s", id}}, .rev = rev, .body = std::move(body)};
  }
  static std::vector<std::string> Find(SearchIndex& index, std::string_view text,
                                       const Call& call = Within()) {
    const auto answer = index.Search(call, {.kind = PhotoKind(),
                                            .scope = "s",
                                            .query = *ParseQuery(text, PhotoKind(), 0),
                                            .limit = 1000});
    EXPECT_TRUE(answer) << answer.error().ToString();
    std::vector<std::string> ids;
    for (const Hit& hit : answer ? answer->hits : std::vector<Hit>()) ids.push_back(hit.ref.key.id);
    return ids;
  }

  std::string name_;  // of schema and sessions
  std::string dsn_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> sql_{nullptr, PQfinish};
  std::unique_ptr<SearchIndex> index_;
};

// Beside it a role that row-level security binds: what it is told of is in the scope "s" (Photo) or
// elsewhere.
class BoundTest : public ServerTest {
 protected:
  using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

  void SetUp() override {
    ServerTest::SetUp();
    if (index_ == nullptr) return;
    const char* admin = std::getenv("A4C_TEST_POSTGRES_ADMIN_DSN");
    if (admin == nullptr) {
      const bool required = std::getenv("CI") || std::getenv("A4C_REQUIRE_SERVERS");
      ASSERT_FALSE(required) << "needs A4C_TEST_POSTGRES_ADMIN_DSN";
      GTEST_SKIP() << "needs A4C_TEST_POSTGRES_ADMIN_DSN, to make a role";
    }
    admin_.reset(PQconnectdb(admin));
    ASSERT_EQ(PQstatus(admin_.get()), CONNECTION_OK) << PQerrorMessage(admin_.get());
    Run(admin_, "CREATE ROLE \"" + name_ + "\" LOGIN PASSWORD 'bound-1'");
  }
  void TearDown() override {
    ServerTest::TearDown();
    if (admin_ != nullptr) Run(admin_, "DROP ROLE IF EXISTS \"" + name_ + "\"");
  }

  Settings Secured() const {
    return {{"dsn", ConfigValue::Scalar(BoundDsn())},
            {"row_security", ConfigValue::Scalar("true")},
            {"background_dsn", ConfigValue::Scalar(dsn_)}};
  }
  std::string BoundDsn() const { return dsn_ + " user=" + name_ + " password=bound-1"; }
  Connection ConnectBound() const { return {PQconnectdb(BoundDsn().c_str()), PQfinish}; }
  std::string View() const { return "\"" + name_ + "\".\"photo.1.scoped\""; }

  // The SQLSTATE, or what the first row says, or how many rows changed.
  static std::string Run(const Connection& connection, const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), sql.c_str()), PQclear);
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
      const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      return state == nullptr ? "lost" : state;
    }
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : PQcmdTuples(result.get());
  }

  Connection admin_{nullptr, PQfinish};
};

}  // namespace a4c::search_postgres
