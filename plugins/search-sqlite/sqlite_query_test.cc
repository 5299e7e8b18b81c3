// The SQL of searches: its text, and that SQLite answers it by its indexes.
#include "sqlite_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sqlite_connection.h"
#include "sqlite_ensure.h"
#include "sqlite_test_files.h"

namespace a4c::search_sqlite {
namespace {

using Node = Query::Node;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Layout PhotoLayout() {
  Layout layout{.kind = "photo"};
  for (const Field& field : PhotoKind().fields) layout.fields[field.name] = field.type;
  return layout;
}

Query Parsed(std::string_view text) {
  return *ResolveQuery(*ParseQuery(text, PhotoKind(), 0), PhotoKind());
}

std::string FilterOf(std::string_view text) {
  const auto sql = FilterSql(PhotoLayout(), Parsed(text));
  return sql ? sql->text : sql.error().ToString();
}

SearchPlan PlanOf(std::string_view text, std::vector<SortKey> sort = {},
                  std::vector<FacetKey> facets = {}) {
  return *PlanSearch({.kind = PhotoKind(),
                      .query = *ParseQuery(text, PhotoKind(), 0),
                      .sort = std::move(sort),
                      .facets = std::move(facets)});
}

TEST(SqliteQuery, EachLeafIsOneTest) {
  EXPECT_EQ(FilterOf("*"), "1");
  EXPECT_EQ(FilterOf("album:x"), R"(doc IN (SELECT doc FROM "v_photo.1.album" WHERE (value = ?)))");
  EXPECT_EQ(FilterOf("labels.team:x"),
            R"(doc IN (SELECT doc FROM "v_photo.1.labels" WHERE (value = ?)))");
  EXPECT_EQ(FilterOf("album:x*"),
            R"(doc IN (SELECT doc FROM "v_photo.1.album" WHERE (value >= ? AND value < ?)))");
  EXPECT_EQ(FilterOf("album > x"),
            R"(doc IN (SELECT doc FROM "v_photo.1.album" WHERE (value > ?)))");
  EXPECT_EQ(FilterOf("views >= 5"),
            "((coalesce(f_views, -9223372036854775808) >= ?) AND f_views IS NOT NULL)");
  EXPECT_EQ(FilterOf("rating < 5"), "((f_rating < ?))");
  EXPECT_EQ(FilterOf("shown:true"), "((f_shown = ?))");
  EXPECT_EQ(FilterOf("title:*"), "f_title IS NOT NULL");
  EXPECT_EQ(
      FilterOf("title:\"a b\""),
      R"(doc IN (SELECT rowid FROM "w_photo.1.title.fts" WHERE "w_photo.1.title.fts" MATCH ?))");
}

TEST(SqliteQuery, NotCountsNullAsFalse) {
  EXPECT_EQ(FilterOf("not rating < 5"), "(((f_rating < ?)) IS NOT TRUE)");
  EXPECT_EQ(FilterOf("shown:true or not shown:true"),
            "((((f_shown = ?)) IS NOT TRUE) OR ((f_shown = ?)))");
}

TEST(SqliteQuery, WordsAreQuotedForFts5) {
  const Query words{
      .node = Node::kWords, .field = "title", .words = {"near", "a\"b", "or", "*", "-x"}};
  EXPECT_EQ(FilterSql(PhotoLayout(), words)->parameters,
            std::vector<Scalar>{R"("near" OR "a""b" OR "or" OR "*" OR "-x")"});
  const Query phrase{.node = Node::kPhrase, .field = "title", .words = {"not", "a\"b", "^x"}};
  EXPECT_EQ(FilterSql(PhotoLayout(), phrase)->parameters, std::vector<Scalar>{R"("not a""b ^x")"});
}

TEST(SqliteQuery, ValuesNeverGetIntoTheText) {
  const std::string evil = "'); DROP TABLE d_photo; --";
  SearchPlan plan = PlanOf("*", {}, {{"album", evil}});
  EXPECT_THAT(CountsSql(PhotoLayout(), plan, "s")->text, Not(HasSubstr("DROP")));
  for (const Node node : {Node::kEquals, Node::kPrefix}) {
    const auto sql =
        FilterSql(PhotoLayout(), {.node = node, .field = "album", .value = Scalar(evil)});
    ASSERT_TRUE(sql);
    EXPECT_THAT(sql->text, Not(HasSubstr("DROP")));
    EXPECT_EQ(sql->parameters.at(0), Scalar(evil));
  }
}

TEST(SqliteQuery, APatternIsAGlobAmongTheValuesThatStartSo) {
  const auto sql = FilterSql(PhotoLayout(), Parsed("album:x[?*y]*"));
  EXPECT_EQ(sql->text, R"(doc IN (SELECT doc FROM "v_photo.1.album" )"
                       R"(WHERE (value >= ? AND value < ?) AND value GLOB ?))");
  EXPECT_EQ(sql->parameters, (std::vector<Scalar>{"x[?", "x[@", "x[[][?]*y]*"}));
  const auto words = FilterSql(PhotoLayout(), Parsed("title:*x*"));
  EXPECT_EQ(words->text,
            R"(doc IN (SELECT rowid FROM "w_photo.1.title.fts" WHERE a4c_any_word(words, ?)))");
  const auto prefix = FilterSql(PhotoLayout(), Parsed("title:ca*"));
  EXPECT_EQ(prefix->parameters, std::vector<Scalar>{R"("ca" *)"});
}

TEST(SqliteQuery, APrefixEndsBehindItsLastByte) {
  const auto sql =
      FilterSql(PhotoLayout(), {.node = Node::kPrefix, .field = "album", .value = "a\xC3\xBF"});
  EXPECT_EQ(sql->parameters, (std::vector<Scalar>{"a\xC3\xBF", "a\xC3\xC0"}));
  const auto all = FilterSql(PhotoLayout(), {.node = Node::kPrefix, .field = "album", .value = ""});
  EXPECT_EQ(all->parameters, std::vector<Scalar>{""});
}

TEST(SqliteQuery, AFieldThatTheIndexLacksIsAConflict) {
  Layout layout = PhotoLayout();
  layout.fields.erase("views");
  for (const char* text : {"views:5", "views:*", "not views > 3"}) {
    const auto sql = FilterSql(layout, Parsed(text));
    ASSERT_FALSE(sql) << text;
    EXPECT_EQ(sql.error().code(), Code::kConflict);
  }
  EXPECT_FALSE(PageSql(layout, PlanOf("*", {{"views"}}), "s", 10));
}

TEST(SqliteQuery, ACursorNamesWhatComesBehindIt) {
  SearchPlan plan = PlanOf("*", {{"rating"}, {"views", true}});
  plan.after = SortPosition{.values = {Scalar(0.5), Scalar(int64_t{7})}, .id = "i"};
  EXPECT_THAT(PageSql(PhotoLayout(), plan, std::nullopt, 10)->text,
              HasSubstr("AND ((f_rating > ? OR f_rating IS NULL) OR (f_rating = ? AND "
                        "(coalesce(f_views, -9223372036854775808) < ? OR "
                        "(coalesce(f_views, -9223372036854775808) = ? AND id > ?))))"));
  plan.after->values[0] = Scalar();
  EXPECT_THAT(PageSql(PhotoLayout(), plan, std::nullopt, 10)->text,
              HasSubstr("AND (0 OR (f_rating IS NULL AND ("));
}

class SqliteQueryPlans : public testing::Test {
 protected:
  SqliteQueryPlans() : connection_(*Connection::Open({.path = directory_.File("plans.db")})) {
    const Kind kind = PhotoKind();
    EXPECT_TRUE(connection_->Execute("BEGIN"));
    EXPECT_TRUE(EnsureOurs(*connection_, "plans.db"));
    EXPECT_TRUE(EnsureKinds(*connection_, {&kind, 1}));
  }

  // Every line of the plan.
  std::string Explain(const Result<Sql>& sql) {
    EXPECT_TRUE(sql);
    auto statement = connection_->Prepare("EXPLAIN QUERY PLAN " + sql->text);
    EXPECT_TRUE(statement) << statement.error().ToString();
    for (const Scalar& value : sql->parameters) statement->Bind(value);
    std::string lines;
    while (*statement->Step()) {
      for (int skipped = 0; skipped < 3; ++skipped) statement->Long();
      lines += statement->Text() + "\n";
    }
    return lines;
  }
  std::string PageOf(std::string_view text, std::vector<SortKey> sort = {}) {
    return Explain(PageSql(PhotoLayout(), PlanOf(text, std::move(sort)), "s", 10));
  }

  const TestDirectory directory_;
  const std::unique_ptr<Connection> connection_;
};

TEST_F(SqliteQueryPlans, ByIdAndNewestFirstArePagesOfAnIndex) {
  EXPECT_THAT(PageOf("*"),
              AllOf(HasSubstr("INDEX i_photo.1.id (scope=?)"), Not(HasSubstr("TEMP"))));
  EXPECT_THAT(
      PageOf("*", {{"taken_at", true}}),
      AllOf(HasSubstr("INDEX i_photo.1.taken_at.key (scope=?)"), Not(HasSubstr("FOR ORDER BY"))));
  SearchPlan plan = PlanOf("*", {{"taken_at", true}});
  plan.after = SortPosition{.values = {Scalar(int64_t{7})}, .id = "i"};
  EXPECT_THAT(Explain(PageSql(PhotoLayout(), plan, "s", 10)),
              AllOf(HasSubstr("INDEX i_photo.1.taken_at.key (scope=? AND <expr><?)"),
                    Not(HasSubstr("FOR ORDER BY"))));
}

TEST_F(SqliteQueryPlans, LeavesAreAnsweredByIndexes) {
  EXPECT_THAT(PageOf("album:x or labels.team:y"),
              AllOf(HasSubstr("MULTI-INDEX OR"), Not(HasSubstr("SCAN"))));
  EXPECT_THAT(PageOf("not shown:true and album:x", {{"taken_at", true}}),
              HasSubstr("SEARCH d_photo.1 USING INTEGER PRIMARY KEY"));
  for (const char* text : {"album:x", "album:x*", "album > x"}) {
    EXPECT_THAT(PageOf(text), AllOf(HasSubstr("SEARCH d_photo.1 USING INTEGER PRIMARY KEY"),
                                    HasSubstr("SEARCH v_photo.1.album USING PRIMARY KEY")))
        << text;
  }
  EXPECT_THAT(PageOf("title:x"), HasSubstr("SCAN w_photo.1.title.fts VIRTUAL TABLE INDEX"));
  EXPECT_THAT(PageOf("views > 5"), HasSubstr("INDEX i_photo.1.views.key (scope=? AND <expr>>?)"));
  EXPECT_THAT(PageOf("rating > 5"),
              HasSubstr("INDEX i_photo.1.rating.key (scope=? AND f_rating>?)"));
}

TEST_F(SqliteQueryPlans, FacetsReadTheMatchesOnce) {
  const std::string plan =
      Explain(CountsSql(PhotoLayout(), PlanOf("album:x", {}, {{"album"}, {"shown"}}), "s"));
  const std::string once = "MATERIALIZE hits";
  EXPECT_NE(plan.find(once), std::string::npos) << plan;
  EXPECT_EQ(plan.find(once), plan.rfind(once)) << plan;
}

}  // namespace
}  // namespace a4c::search_sqlite
