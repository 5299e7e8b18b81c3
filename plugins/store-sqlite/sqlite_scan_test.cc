#include "sqlite_scan.h"

#include <gtest/gtest.h>

#include "a4c/sinks.h"
#include "sqlite_schema.h"
#include "sqlite_test_files.h"

namespace a4c::sqlite {
namespace {

Call AnyCall() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return {runtime.clock};
}

class SqliteScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Kind kind{
        .name = "thing",
        .fields = {{.name = "state"}, {.name = "due", .type = FieldType::kTime}, {.name = "name"}},
        .indexes = {{.name = "by_state", .fields = {"state", "due"}},
                    {.name = "by_due", .fields = {"due", "state"}, .scoped = false},
                    {.name = "by_name", .fields = {"name"}, .unique = true}}};
    auto connection = Connection::Open(directory_.File("a4c.db"), 1 << 20, 0);
    ASSERT_TRUE(connection.has_value()) << connection.error().ToString();
    connection_ = *std::move(connection);
    auto schema = OpenSchema(*connection_, "a4c.db");
    ASSERT_TRUE(schema.has_value()) << schema.error().ToString();
    schema = Migrate(*connection_, *schema, {&kind, 1});
    ASSERT_TRUE(schema.has_value()) << schema.error().ToString();
    schema_ = *schema;
  }

  std::string Explained(const std::string& sql) {
    Result<Statement> statement = connection_->Prepare("EXPLAIN QUERY PLAN " + sql);
    EXPECT_TRUE(statement.has_value()) << statement.error().ToString();
    std::string plan;
    for (;;) {
      const Result<bool> there = statement->Step();
      if (!there || !*there) return plan;
      statement->Long();
      statement->Long();
      statement->Long();
      plan += statement->Text() + "; ";
    }
  }

  // Every query of the page, with a cursor in the middle and without, seeks in an index and sorts
  // nothing.
  void ExpectSeeks(ScanRequest request, const std::vector<Scalar>& values) {
    for (const bool descending : {false, true}) {
      request.descending = descending;
      for (const bool with_cursor : {false, true}) {
        request.after = with_cursor ? ScanCursor(request, {values, {"s", "id"}}) : "";
        const Result<ScanPlan> plan = CheckScan(AnyCall(), schema_->kinds, request);
        ASSERT_TRUE(plan.has_value()) << plan.error().ToString();
        const std::vector<ScanQuery> queries =
            ScanQueries(schema_->TableOf("thing"), *plan, request);
        ASSERT_FALSE(queries.empty());
        for (const ScanQuery& query : queries) {
          const std::string explained = Explained(query.sql);
          EXPECT_EQ(explained.find("TEMP B-TREE"), std::string::npos) << explained << query.sql;
          EXPECT_NE(explained.find("USING INDEX"), std::string::npos) << explained << query.sql;
          if (with_cursor || request.scope) {
            EXPECT_EQ(explained.find("SCAN"), std::string::npos) << explained << query.sql;
          }
        }
      }
    }
  }

  const TestDirectory directory_;
  std::unique_ptr<Connection> connection_;
  std::shared_ptr<const Schema> schema_;
};

TEST_F(SqliteScanTest, EveryPageSeeksInItsIndexAndSortsNothing) {
  ScanRequest by_state{.kind = "thing", .index = "by_state", .scope = "s"};
  ExpectSeeks(by_state, {"x", int64_t{5}});
  ExpectSeeks(by_state, {"x", Scalar()});
  by_state.prefix = {"x"};
  ExpectSeeks(by_state, {"x", int64_t{5}});
  by_state.upper = int64_t{9};
  ExpectSeeks(by_state, {"x", int64_t{5}});
  ScanRequest by_due{.kind = "thing", .index = "by_due"};
  ExpectSeeks(by_due, {int64_t{5}, "x"});
  by_due.lower = int64_t{1};
  ExpectSeeks(by_due, {int64_t{5}, Scalar()});
  ExpectSeeks({.kind = "thing"}, {});
  ExpectSeeks({.kind = "thing", .scope = "s"}, {});
}

TEST_F(SqliteScanTest, TheHolderOfAUniqueValueIsSought) {
  const std::string plan = Explained(
      "SELECT scope, id FROM k_thing INDEXED BY \"u_thing.by_name\" WHERE tombstone = 0 AND "
      "scope = ? AND b_name = ?");
  EXPECT_NE(plan.find("SEARCH"), std::string::npos) << plan;
}

}  // namespace
}  // namespace a4c::sqlite
