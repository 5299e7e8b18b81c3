// The SQL of searches: its text. That the server answers it by indexes is in postgres_plan_test.cc.
#include "postgres_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres_test_server.h"
#include "postgres_writer.h"

namespace a4c::search_postgres {
namespace {

using Node = Query::Node;
using testing::HasSubstr;
using testing::Not;

Layout PhotoLayout() {
  Layout layout{.schema = "s", .kind = "photo"};
  for (const Field& field : PhotoKind().fields) layout.fields[field.name] = field.type;
  return layout;
}

Query Parsed(std::string_view text) {
  return *ResolveQuery(*ParseQuery(text, PhotoKind(), 0), PhotoKind());
}

using Strings = std::vector<std::string>;

std::string FilterOf(std::string_view text, Strings parameters) {
  const auto sql = FilterSql(PhotoLayout(), Parsed(text));
  if (!sql) return sql.error().ToString();
  EXPECT_EQ(sql->parameters, parameters) << text;
  return sql->text;
}

TEST(PostgresQuery, EachLeafIsOneTest) {
  EXPECT_EQ(FilterOf("*", {}), "true");
  EXPECT_EQ(FilterOf("album:x", {R"({"album=x"})"}), "tokens @> ?::text[]");
  EXPECT_EQ(FilterOf("labels.team:x", {R"({"labels=team=x"})"}), "tokens @> ?::text[]");
  EXPECT_EQ(FilterOf("title:Sky", {R"({"title sky"})"}), "tokens @> ?::text[]");
  EXPECT_EQ(FilterOf("title:\"a sky\"", {R"({"title a","title sky"})", " a sky "}),
            "(tokens @> ?::text[] AND strpos(t_title, ?) > 0)");
  EXPECT_EQ(FilterOf("album:x*", {"x", "y", "x", "y"}),
            "((lo_album >= ? AND lo_album < ?) OR (f_album > 1 AND EXISTS (SELECT FROM "
            "unnest(k_album) AS value WHERE (value >= ? AND value < ?))))");
  EXPECT_EQ(FilterOf("views >= 5", {"5"}),
            "(coalesce(f_views, '-9223372036854775808'::bigint) >= ? AND f_views IS NOT NULL)");
  EXPECT_EQ(FilterOf("rating < 5", {"5"}), "(f_rating < ?)");
  EXPECT_EQ(FilterOf("shown:true", {"true"}), "(f_shown = ?)");
  EXPECT_EQ(FilterOf("title:*", {}), "f_title IS NOT NULL");
}

TEST(PostgresQuery, WhatTheTokensAnswerIsAskedTogether) {
  EXPECT_EQ(FilterOf("album:(x or y) or title:sky or rating < 5",
                     {"5", R"({"album=x","album=y","title sky"})"}),
            "((f_rating < ?) OR tokens && ?::text[])");
  EXPECT_EQ(FilterOf("album:x and title:sky and rating < 5", {"5", R"({"album=x","title sky"})"}),
            "((f_rating < ?) AND tokens @> ?::text[])");
  EXPECT_EQ(FilterOf("title:\"a\" and (album:x or album:y)",
                     {R"({"album=x","album=y"})", R"({"title a"})"}),
            "((tokens && ?::text[]) AND tokens @> ?::text[])");
}

TEST(PostgresQuery, PatternsLookAtTheValuesThatStartSoAndAtEveryWord) {
  EXPECT_EQ(FilterOf("title:ca*", {" ca"}), "strpos(t_title, ?) > 0");
  EXPECT_EQ(FilterOf("title:*x.y*z", {R"( [^ ]*x\.y[^ ]*z )"}), "t_title ~ ?");
  EXPECT_EQ(FilterOf("album:a%_*b", {"a%_", "a%`", R"(a\%\_%b)", "a%_", "a%`", R"(a\%\_%b)"}),
            "((lo_album >= ? AND lo_album < ? AND lo_album LIKE ?) OR (f_album > 1 AND EXISTS "
            "(SELECT FROM unnest(k_album) AS value WHERE (value >= ? AND value < ? AND value LIKE "
            "?))))");
}

TEST(PostgresQuery, FacetsCountValuesThatStartSo) {
  const SearchPlan plan = *PlanSearch(
      {.kind = PhotoKind(), .facets = {{.field = "labels.team", .prefix = "in", .limit = 3}}});
  const auto sql = CountsSql(PhotoLayout(), plan, std::nullopt);
  EXPECT_THAT(sql->text, HasSubstr("value >= ? AND value < ? GROUP BY value"));
  EXPECT_THAT(sql->text, HasSubstr("LIMIT 3"));
  EXPECT_EQ(sql->parameters, (Strings{"team=in", "team=io"}));
}

TEST(PostgresQuery, NotCountsNullAsFalse) {
  EXPECT_EQ(FilterOf("not rating < 5", {"5"}), "((f_rating < ?) IS NOT TRUE)");
}

TEST(PostgresQuery, ValuesNeverGetIntoTheText) {
  const std::string evil = "'); DROP TABLE photo; -- ? $1";
  for (const Node node : {Node::kEquals, Node::kPrefix}) {
    const auto sql =
        FilterSql(PhotoLayout(), {.node = node, .field = "album", .value = Scalar(evil)});
    ASSERT_TRUE(sql);
    EXPECT_THAT(sql->Numbered().sql, Not(HasSubstr("DROP")));
  }
}

TEST(PostgresQuery, ParametersAreNumberedInTheirOrder) {
  const search_postgres::Sql sql{"a = ? AND b = ?", {"x", "y"}};
  EXPECT_EQ(sql.Numbered().sql, "a = $1 AND b = $2");
  EXPECT_EQ(sql.Numbered().params.at(1), "y");
}

TEST(PostgresQuery, AFieldThatTheIndexLacksIsAConflict) {
  Layout layout = PhotoLayout();
  layout.fields.erase("views");
  for (const char* text : {"views:5", "views:*", "not views > 3"}) {
    EXPECT_EQ(FilterSql(layout, Parsed(text)).error().code(), Code::kConflict) << text;
  }
}

TEST(PostgresQuery, ACursorNamesWhatComesBehindIt) {
  SearchPlan plan = *PlanSearch({.kind = PhotoKind(), .sort = {{"rating"}, {"views", true}}});
  plan.after = SortPosition{.values = {Scalar(0.5), Scalar(int64_t{7})}, .id = "i"};
  EXPECT_THAT(PageSql(PhotoLayout(), plan, std::nullopt, 10)->text,
              HasSubstr("AND ((f_rating > ? OR f_rating IS NULL) OR (f_rating = ? AND "
                        "(coalesce(f_views, '-9223372036854775808'::bigint) < ? OR "
                        "(coalesce(f_views, '-9223372036854775808'::bigint) = ? AND id > ?))))"));
  plan.after->values[0] = Scalar();
  EXPECT_THAT(PageSql(PhotoLayout(), plan, std::nullopt, 10)->text,
              HasSubstr("AND (false OR (f_rating IS NULL AND ("));
}

TEST(PostgresQuery, ADocumentOverwritesOnlyAnOlderRev) {
  const Document document{.ref = {"photo", {"s", "i"}}, .rev = 3, .body = R"({"album":["b","a"]})"};
  BulkResult result;
  const Pending pending{&document, &result, *MakeSearchDocument(PhotoKind(), document)};
  const Statement statement = UpsertSql(PhotoLayout(), pending);
  EXPECT_THAT(statement.sql, HasSubstr("ON CONFLICT (id) DO UPDATE SET"));
  EXPECT_THAT(statement.sql, HasSubstr("WHERE t.rev < excluded.rev"));
  EXPECT_THAT(statement.params, testing::Contains(R"({"album=a","album=b"})"));
}

}  // namespace
}  // namespace a4c::search_postgres
