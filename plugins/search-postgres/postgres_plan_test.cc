// The server answers filters, words and sorted pages by indexes: read in its own plans.
#include <gmock/gmock.h>

#include "postgres_query.h"
#include "postgres_test_server.h"

namespace a4c::search_postgres {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PostgresPlans : public BoundTest {
 protected:
  // Of 4,000 documents each leaf below finds few.
  void SetUp() override {
    BoundTest::SetUp();
    if (index_ == nullptr || IsSkipped() || HasFatalFailure()) return;
    std::vector<Document> photos;
    for (int i = 0; i < 4000; ++i) {
      const std::string n = std::to_string(i);
      std::string body = R"({"album":"a)";
      body.append(n).append(R"(","title":"word)").append(n).append(R"( often","views":)").append(n);
      body.append(R"(,"rating":)").append(n).append(R"(.5,"taken_at":)").append(n);
      body.append(R"(,"labels":{"team":"t)").append(n).append(R"(","x":"y"}})");
      photos.push_back(Photo("p" + n, 1, body));
    }
    const auto results = index_->Bulk(Within(), photos);
    for (const BulkResult& result : *results) {
      ASSERT_EQ(result.outcome, BulkOutcome::kApplied);
    }
    Sql("VACUUM ANALYZE " + Table());
  }

  SearchPlan PlanOf(std::string_view text, std::vector<SortKey> sort = {}) {
    return *PlanSearch(
        {.kind = PhotoKind(), .query = *ParseQuery(text, PhotoKind(), 0), .sort = std::move(sort)});
  }

  std::string Explain(const Result<search_postgres::Sql>& sql) { return Explain(sql_, sql); }
  static std::string Explain(const Connection& connection,
                             const Result<search_postgres::Sql>& sql) {
    EXPECT_TRUE(sql) << sql.error().ToString();
    Statement statement = sql->Numbered();
    std::vector<const char*> values;
    for (const auto& param : statement.params) values.push_back(param->c_str());
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexecParams(connection.get(), ("EXPLAIN " + statement.sql).c_str(),
                     static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0),
        PQclear);
    EXPECT_EQ(PQresultStatus(result.get()), PGRES_TUPLES_OK) << PQerrorMessage(connection.get());
    std::string lines;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      lines += std::string(PQgetvalue(result.get(), row, 0)) + "\n";
    }
    return lines;
  }

  Layout TheLayout() const {
    Layout layout{.schema = name_, .kind = "photo"};
    for (const Field& field : PhotoKind().fields) layout.fields[field.name] = field.type;
    return layout;
  }

  std::string PageOf(const SearchPlan& plan) {
    return Explain(PageSql(TheLayout(), plan, "s", 10));
  }
  std::string CountOf(std::string_view text) {
    return Explain(CountsSql(TheLayout(), PlanOf(text), "s"));
  }
};

TEST_F(PostgresPlans, KeywordsEntriesWordsAndPhrasesAreFoundByTheirTokens) {
  for (const char* text :
       {"album:a7", "labels.team:t7", "word7", "\"word7 often\"", "album:(a7 or a8 or a9)",
        "album:a7 or word8", "often and album:a7", "album:a7 and not views:8"}) {
    EXPECT_THAT(CountOf(text), AllOf(HasSubstr("tokens_idx"), Not(HasSubstr("Seq Scan")))) << text;
  }
}

TEST_F(PostgresPlans, WhatIsAskedTogetherIsLookedUpTogether) {
  EXPECT_THAT(CountOf("album:(a7 or a8) or word9"), HasSubstr("tokens && "));
  EXPECT_THAT(CountOf("often and album:a7"), HasSubstr("tokens @> "));
}

TEST_F(PostgresPlans, NumbersTimesAndBeginningsAreRangesOfAnIndex) {
  for (const char* text : {"views:7", "views > 3990", "rating >= 3990", "taken_at < 10",
                           "album:a39*", "album >= a9999", "album:a39*9"}) {
    EXPECT_THAT(CountOf(text), AllOf(HasSubstr("Index"), Not(HasSubstr("Seq Scan")))) << text;
  }
}

TEST_F(PostgresPlans, ByIdAndNewestFirstArePagesOfAnIndex) {
  EXPECT_THAT(PageOf(PlanOf("*")), AllOf(HasSubstr("Index Scan"), Not(HasSubstr("Sort"))));
  SearchPlan plan = PlanOf("*", {{"taken_at", true}});
  EXPECT_THAT(PageOf(plan), AllOf(HasSubstr("Index Scan"), Not(HasSubstr("Sort"))));
  plan.after = SortPosition{.values = {Scalar(int64_t{500})}, .id = "i"};
  EXPECT_THAT(PageOf(plan),
              AllOf(HasSubstr("Index Cond"), HasSubstr("<= '500'"), Not(HasSubstr("Sort"))));
}

// Of a table with a policy for the role the tokens would be read row by row.
TEST_F(PostgresPlans, RowLevelSecurityLeavesTheIndexesTheirUse) {
  const auto secured = Open(Secured());
  const Connection bound = ConnectBound();
  Run(bound, "SET a4c.scopes = '{s}'");
  const auto count = [&](std::string_view text) {
    return Explain(bound, CountsSql(TheLayout(), PlanOf(text), "s", Source::kView));
  };
  for (const char* text : {"album:a7", "labels.team:t7", "word7", "\"word7 often\"",
                           "album:(a7 or a8 or a9)", "often and album:a7"}) {
    EXPECT_THAT(count(text), AllOf(HasSubstr("tokens_idx"), Not(HasSubstr("Seq Scan")))) << text;
  }
  for (const char* text : {"views:7", "rating >= 3990", "album:a39*"}) {
    EXPECT_THAT(count(text), AllOf(HasSubstr("Index"), Not(HasSubstr("Seq Scan")))) << text;
  }
  const SearchPlan newest = PlanOf("*", {{"taken_at", true}});
  EXPECT_THAT(Explain(bound, PageSql(TheLayout(), newest, "s", 10, Source::kView)),
              AllOf(HasSubstr("Index Scan"), Not(HasSubstr("Sort"))));
}

TEST_F(PostgresPlans, DigestsReadAnIndexAlone) {
  const search_postgres::Sql sums{"SELECT bucket, count(*), sum(digest) FROM " + Table() +
                                      " WHERE NOT tombstone GROUP BY bucket",
                                  {}};
  EXPECT_THAT(Explain(sums), HasSubstr("Index Only Scan"));
}

}  // namespace
}  // namespace a4c::search_postgres
