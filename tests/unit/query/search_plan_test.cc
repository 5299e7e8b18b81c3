#include "a4c/search_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/query/query_kind.h"

namespace a4c {
namespace {

std::string Resolved(std::string_view text) {
  const auto query = ParseQuery(text, QueryKind(), 0);
  EXPECT_TRUE(query) << text;
  const auto resolved = ResolveQuery(*query, QueryKind());
  return resolved ? Show(*resolved) : resolved.error().ToString();
}

TEST(ResolveQuery, SpeaksOfWhatIsIndexed) {
  EXPECT_EQ(Resolved("labels.team:infra"), "labels='team=infra'");
  EXPECT_EQ(Resolved("labels.team:in*"), "labels^'team=in'");
  EXPECT_EQ(Resolved("labels.team:*"), "labels^'team='");
  EXPECT_EQ(Resolved("labels:*"), "exists(labels)");
  EXPECT_EQ(Resolved("labels.v > 2"), "labels('v=2','v>')");
  EXPECT_EQ(Resolved("labels.v <= 2"), "labels['v=','v=2']");
  EXPECT_EQ(Resolved("refused"), "or(title:words(refused), error:words(refused))");
  EXPECT_EQ(Resolved("title:--"), "or()");
  EXPECT_EQ(Resolved("score:\"-0.0\""), "score=0.000000");
}

TEST(ResolveQuery, RefusesTreesThatNoEngineCouldAnswer) {
  const auto code = [](const Query& query) { return ResolveQuery(query, QueryKind()).has_value(); };
  using Node = Query::Node;
  EXPECT_FALSE(code({.node = Node::kRange, .field = "views"}));
  EXPECT_FALSE(code({.node = Node::kRange, .field = "title", .lower = "a"}));
  EXPECT_FALSE(code({.node = Node::kPrefix, .field = "views", .value = "7"}));
  EXPECT_FALSE(code({.node = Node::kEquals, .field = "state", .value = "\xFF"}));
  EXPECT_FALSE(code({.node = Node::kEquals, .field = "nothing", .value = "x"}));
  EXPECT_FALSE(code({.node = Node::kEquals, .field = "labels", .value = "x"}));
  const auto nested = [](int levels) {
    Query deep{.node = Node::kAll};
    for (int i = 1; i < levels; ++i) {
      Query parent{.node = Node::kNot};
      parent.children.push_back(std::move(deep));
      deep = std::move(parent);
    }
    return deep;
  };
  EXPECT_TRUE(code(nested(kQueryTreeDepthMax)));
  EXPECT_FALSE(code(nested(kQueryTreeDepthMax + 1)));
  EXPECT_FALSE(code(nested(1000)));
}

// The deepest that a person can write: an or, an and and a group on every level.
TEST(ResolveQuery, TakesWhateverTheParserLetsThrough) {
  std::string text = "word";
  for (int i = 0; i < QueryLimits().depth_max; ++i) text = "a or b and (" + text + " or c and d)";
  const auto query = ParseQuery(text, QueryKind(), 0);
  ASSERT_TRUE(query) << query.error().ToString();
  EXPECT_TRUE(ResolveQuery(*query, QueryKind()));
}

SearchRequest Request() {
  return {.kind = QueryKind(), .sort = {{"views"}, {"state", true}, {"score"}, {"done"}}};
}

SortPosition PositionOf(const SearchPlan& plan, const std::string& id, const std::string& body) {
  const auto document =
      MakeSearchDocument(QueryKind(), {.ref = {"thing", {"", id}}, .rev = 1, .body = body});
  EXPECT_TRUE(document);
  return SortPositionOf(plan, *document, id);
}

TEST(SearchPlan, CursorsComeBackAsTheyWere) {
  const auto plan = PlanSearch(Request());
  ASSERT_TRUE(plan);
  for (const char* body : {"{}", R"({"views":-3,"state":["b","é"],"score":1e300,"done":true})",
                           R"({"score":5,"state":[]})"}) {
    const SortPosition position = PositionOf(*plan, "id\xC3\xA9", body);
    SearchRequest next = Request();
    next.after = NextCursor(*plan, position);
    const auto planned = PlanSearch(next);
    ASSERT_TRUE(planned) << body;
    ASSERT_TRUE(planned->after);
    EXPECT_EQ(planned->after->values, position.values) << body;
    EXPECT_EQ(planned->after->id, position.id);
  }
}

TEST(SearchPlan, RefusesCursorsOfOtherSearchesAndRubbish) {
  const auto plan = PlanSearch(Request());
  SearchRequest other = Request();
  other.sort[0].descending = true;
  other.after = NextCursor(*plan, PositionOf(*plan, "a", "{}"));
  EXPECT_FALSE(PlanSearch(other));
  SearchRequest nul = Request();
  nul.after = NextCursor(*plan, {{int64_t{1}, std::string("a\0b", 3), 0.5, true}, "a"});
  EXPECT_FALSE(PlanSearch(nul));
  for (const std::string& cursor :
       {std::string("x"), std::string("zz"), std::string("7b7d"), std::string(100'000, '7')}) {
    SearchRequest request = Request();
    request.after = cursor;
    const auto planned = PlanSearch(request);
    ASSERT_FALSE(planned) << cursor.substr(0, 8);
    EXPECT_EQ(planned.error().code(), Code::kInvalid);
  }
}

TEST(SearchPlan, OrdersAbsentLastBothWaysAndTiesById) {
  const auto before = [](const SearchRequest& request, const std::string& a, const std::string& b) {
    const auto plan = PlanSearch(request);
    return SortsBefore(*plan, PositionOf(*plan, "a", a), PositionOf(*plan, "b", b));
  };
  const auto by = [](const char* field, bool descending) {
    return SearchRequest{.kind = QueryKind(), .sort = {{field, descending}}};
  };
  for (const char* value :
       {R"("views":5)", R"("state":"s")", R"("score":-1e308)", R"("done":true)"}) {
    const std::string field = std::string(value).substr(1, std::string(value).find(':') - 2);
    const std::string body = "{" + std::string(value) + "}";
    for (const bool descending : {false, true}) {
      EXPECT_FALSE(before(by(field.c_str(), descending), "{}", body)) << field << descending;
      EXPECT_TRUE(before(by(field.c_str(), descending), body, "{}")) << field << descending;
      EXPECT_TRUE(before(by(field.c_str(), descending), body, body)) << field << descending;
    }
  }
  EXPECT_TRUE(before(by("kind", false), R"({"kind":["a","z"]})", R"({"kind":"b"})"));
  EXPECT_TRUE(before(by("kind", true), R"({"kind":["a","z"]})", R"({"kind":"b"})"));
}

TEST(SearchPlan, RefusesRequestsOutsideTheirBounds) {
  const auto refused = [](auto&& change) {
    SearchRequest request = Request();
    change(request);
    const auto plan = PlanSearch(request);
    return !plan && plan.error().code() == Code::kInvalid;
  };
  EXPECT_TRUE(refused([](auto& r) { r.limit = 0; }));
  EXPECT_TRUE(refused([](auto& r) { r.limit = 1001; }));
  EXPECT_TRUE(refused([](auto& r) { r.sort = {{"title"}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.sort = {{"labels"}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.sort = {{"secret"}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.facets = {{"views"}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.facets = {{"nothing"}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.facets = {{"state.x"}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.facets = {{"done", "t"}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.facets = {{"state", "\xFF"}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.facets = {{"state", "", 0}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.facets = {{"state", "", 1001}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.facets = {{"state", std::string(481, 'x')}}; }));
  EXPECT_FALSE(refused([](auto& r) { r.facets = {{"state", std::string(480, 'x'), 1000}}; }));
  EXPECT_FALSE(refused([](auto& r) { r.facets = {{"state"}, {"done"}, {"labels"}}; }));
  EXPECT_FALSE(refused([](auto& r) { r.limit = 1000; }));
}

TEST(SearchPlan, AFacetOfALabelCountsItsEntriesAndAnswersTheirValues) {
  SearchRequest request = Request();
  request.facets = {{"labels.a=b", "in", 7}, {"labels"}, {"state", "f"}};
  const auto plan = PlanSearch(request);
  ASSERT_TRUE(plan) << plan.error().ToString();
  const FacetField& label = plan->facets[0];
  EXPECT_EQ(label.name, "labels");
  EXPECT_EQ(label.type, FieldType::kMap);
  EXPECT_EQ(label.prefix, "a\\=b=in");
  EXPECT_EQ(label.cut, 5u);
  EXPECT_EQ(label.limit, 7);
  EXPECT_EQ(plan->facets[1].prefix, "");
  EXPECT_EQ(plan->facets[1].cut, 0u);
  EXPECT_EQ(plan->facets[2].prefix, "f");
  EXPECT_EQ(plan->facets[2].cut, 0u);
}

}  // namespace
}  // namespace a4c
