// What the tests on a real server share: a store in a schema of the test's own, and SQL beside it.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "a4c/sinks.h"
#include "postgres_keys.h"
#include "postgres_store.h"
#include "session/postgres_options.h"

namespace a4c::postgres {

inline const Runtime& TheRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

inline Call Within(int64_t timeout_ms = 60'000) {
  return Call::Within(TheRuntime().clock, timeout_ms);
}

// Whether a test whose server or programs are missing fails, rather than being skipped with the
// reason: so it is in CI.
inline bool IsRequired() {
  return std::getenv("CI") != nullptr || std::getenv("A4C_REQUIRE_SERVERS") != nullptr;
}

class ServerTest : public ::testing::Test {
 protected:
  using Settings = std::map<std::string, ConfigValue, std::less<>>;

  void SetUp() override {
    const char* dsn = std::getenv("A4C_TEST_POSTGRES_DSN");
    if (dsn == nullptr) {
      ASSERT_FALSE(IsRequired()) << "needs A4C_TEST_POSTGRES_DSN";
      GTEST_SKIP() << "needs A4C_TEST_POSTGRES_DSN";
    }
    name_ = "a4c_t" + std::to_string(TheRuntime().random.Next());
    dsn_ = std::string(dsn) + " application_name=" + name_;
    sql_.reset(PQconnectdb(dsn));
    ASSERT_EQ(PQstatus(sql_.get()), CONNECTION_OK) << PQerrorMessage(sql_.get());
    Sql("SET client_min_messages = warning");
  }
  void TearDown() override {
    store_.reset();
    if (sql_ != nullptr) Sql("DROP SCHEMA IF EXISTS \"" + name_ + "\" CASCADE");
  }

  Options OptionsWith(Settings settings = {}) const {
    settings.try_emplace("dsn", ConfigValue::Scalar(dsn_));
    settings["schema"] = ConfigValue::Scalar(name_);
    return *ReadOptions(*CheckConfig(ConfigValue::Map(std::move(settings)), kKeys));
  }
  void Open(const std::vector<Kind>& kinds, Settings settings = {}) {
    store_ = NewPostgresStore(OptionsWith(std::move(settings)), TheRuntime());
    const Result<void> ensured = store_->Ensure(Within(), kinds);
    ASSERT_TRUE(ensured.has_value()) << ensured.error().ToString();
  }

  // The first value of the first row, or the number of rows that changed.
  std::string Sql(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(sql_.get(), sql.c_str()),
                                                               PQclear);
    EXPECT_NE(PQresultStatus(result.get()), PGRES_FATAL_ERROR) << PQerrorMessage(sql_.get());
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : PQcmdTuples(result.get());
  }
  std::string TableName(const std::string& kind) const {
    return "\"" + name_ + "\".\"" + kind + "\"";
  }

  // As the plugin's sessions plan: once, without looking at values.
  std::string PlanOf(const std::string& sql) {
    Sql("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
        "SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan");
    Sql("DEALLOCATE ALL");
    Sql("PREPARE q AS " + sql);
    std::string params;
    while (sql.find("$" + std::to_string(params.size() / 6 + 1) + "::") != std::string::npos) {
      params += params.empty() ? "(NULL " : ", NULL";
    }
    if (!params.empty()) params += ")";
    const std::unique_ptr<PGresult, decltype(&PQclear)> plan(
        PQexec(sql_.get(), ("EXPLAIN EXECUTE q" + params).c_str()), PQclear);
    EXPECT_EQ(PQresultStatus(plan.get()), PGRES_TUPLES_OK) << PQerrorMessage(sql_.get());
    std::string text;
    for (int i = 0; i < PQntuples(plan.get()); ++i) {
      text += std::string(PQgetvalue(plan.get(), i, 0)) + "\n";
    }
    return text;
  }

  BatchResult Apply(std::vector<Op> ops) {
    const WriteBatch batch{std::move(ops)};
    auto answer = store_->Apply(Within(), {&batch, 1});
    if (!answer) return {.outcome = BatchOutcome::kNotApplied, .error = answer.error()};
    return answer->results.at(0);
  }
  std::optional<Record> Read(const RecordRef& ref) {
    auto answer = store_->Get(Within(), {&ref, 1});
    EXPECT_TRUE(answer.has_value()) << answer.error().ToString();
    return answer ? answer->records.at(0) : std::nullopt;
  }

  std::string name_;  // of schema and sessions
  std::string dsn_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> sql_{nullptr, PQfinish};
  std::unique_ptr<Store> store_;
};

}  // namespace a4c::postgres
