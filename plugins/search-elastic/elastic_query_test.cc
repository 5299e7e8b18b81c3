#include "elastic_query.h"

#include <gtest/gtest.h>

namespace a4c::elastic {
namespace {

Kind TheKind() {
  return {.name = "thing",
          .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                     {.name = "title", .type = FieldType::kText, .searchable = true},
                     {.name = "note", .type = FieldType::kText, .searchable = true},
                     {.name = "views", .type = FieldType::kLong, .searchable = true},
                     {.name = "score", .type = FieldType::kDouble, .searchable = true},
                     {.name = "done", .type = FieldType::kBool, .searchable = true},
                     {.name = "labels", .type = FieldType::kMap, .searchable = true}}};
}

std::string Filter(std::string_view text) {
  const auto query = ParseQuery(text, TheKind(), 0);
  if (!query) return query.error().ToString();
  const auto resolved = ResolveQuery(*query, TheKind());
  return resolved ? FilterOf(*resolved).ToString() : resolved.error().ToString();
}

struct Golden {
  const char* query;
  const char* filter;
};

TEST(ElasticQuery, FiltersAreWhatTheyWere) {
  for (
      const Golden& golden :
      {Golden{"*", R"({"match_all":{}})"},
       Golden{"state:failed", R"({"term":{"f.state":"failed"}})"},
       Golden{"state:f*", R"({"prefix":{"f.state":"f"}})"},
       Golden{"state:*f?*", R"({"wildcard":{"f.state":{"value":"*f\\?*"}}})"},
       Golden{R"(state:a\**b)", R"({"wildcard":{"f.state":{"value":"a\\**b"}}})"},
       Golden{"title:Re*", R"({"prefix":{"f.title":"re"}})"},
       Golden{"labels.team:*a", R"({"wildcard":{"f.labels":{"value":"team=*a"}}})"},
       Golden{"state:*", R"({"term":{"exists":"state"}})"},
       Golden{"state >= a", R"({"range":{"f.state":{"gte":"a"}}})"},
       Golden{"views > 5", R"({"range":{"f.views":{"gt":5}}})"},
       Golden{"score <= 1.5", R"({"range":{"f.score":{"lte":1.5}}})"},
       Golden{"done:true", R"({"term":{"f.done":1}})"},
       Golden{"labels.team:infra", R"({"term":{"f.labels":"team=infra"}})"},
       Golden{"labels.team:*", R"({"prefix":{"f.labels":"team="}})"},
       Golden{"labels.v < 2", R"({"range":{"f.labels":{"gte":"v=","lt":"v=2"}}})"},
       Golden{"title:Refused", R"({"terms":{"f.title":["refused"]}})"},
       Golden{"title:\"Connection refused\"",
              R"({"match_phrase":{"f.title":"connection refused"}})"},
       Golden{"title:\"Refused\"", R"({"term":{"f.title":"refused"}})"},
       Golden{
           "a b",
           R"({"bool":{"should":[{"terms":{"f.title":["a","b"]}},{"terms":{"f.note":["a","b"]}}],"minimum_should_match":1}})"},
       Golden{"not state:a", R"({"bool":{"must_not":[{"term":{"f.state":"a"}}]}})"},
       Golden{"state:a and views:1",
              R"({"bool":{"filter":[{"term":{"f.state":"a"}},{"term":{"f.views":1}}]}})"},
       Golden{"title:--", R"({"match_none":{}})"}}) {
    EXPECT_EQ(Filter(golden.query), golden.filter) << golden.query;
  }
}

std::string Body(SearchRequest request) {
  request.kind = TheKind();
  const auto plan = PlanSearch(request);
  return plan ? SearchBody(*plan, request, 1000).ToString() : plan.error().ToString();
}

TEST(ElasticQuery, ASearchLeavesOutTombstonesAndOtherScopes) {
  EXPECT_EQ(
      Body({.kind = {}, .scope = "acme", .limit = 10}),
      R"({"query":{"bool":{"filter":[{"term":{"tombstone":false}},{"term":{"scope":"acme"}},{"match_all":{}}]}},)"
      R"("sort":[{"id":"asc"}],"size":11,"track_total_hits":true,"_source":["id","scope","rev","body"]})");
}

TEST(ElasticQuery, SortAndFacets) {
  EXPECT_EQ(
      Body({.kind = {},
            .sort = {{"views", true}, {"state"}},
            .limit = 1,
            .facets = {{"state", "a.", 3}, {"done"}}}),
      R"({"query":{"bool":{"filter":[{"term":{"tombstone":false}},{"match_all":{}}]}},)"
      R"("sort":[{"f.views":{"order":"desc","missing":"_last"}},{"f.state":{"order":"asc","missing":"_last"}},{"id":"asc"}],)"
      R"("size":2,"track_total_hits":true,"_source":["id","scope","rev","body"],)"
      R"("aggs":{"facet0":{"terms":{"field":"f.state","size":3,"shard_size":1000,"include":"a\\..*"}},)"
      R"("facet1":{"terms":{"field":"f.done","size":10,"shard_size":1000}}}})");
}

TEST(ElasticQuery, AfterAbsentValuesItGoesOnWhereElasticsearchPutsThem) {
  SearchRequest request{.kind = TheKind(),
                        .sort = {{"views", true}, {"state"}, {"score", true}, {"done"}}};
  auto plan = PlanSearch(request);
  ASSERT_TRUE(plan);
  plan->after = SortPosition{{int64_t{5}, {}, {}, {}}, "x"};
  EXPECT_EQ(SearchBody(*plan, request, 1)["search_after"].ToString(),
            R"([5,null,"-Infinity",9223372036854775807,"x"])");
  plan->after = SortPosition{{int64_t{5}, "s", 1.5, true}, "x"};
  EXPECT_EQ(SearchBody(*plan, request, 1)["search_after"].ToString(), R"([5,"s",1.5,1,"x"])");
}

}  // namespace
}  // namespace a4c::elastic
