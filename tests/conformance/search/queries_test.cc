// What every node of a query means on every type of field.
#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

struct Case {
  const char* query;
  std::vector<std::string> ids;
};

class SearchIndexQueries : public SearchIndexTest {
 protected:
  SearchIndexQueries() {
    Add({Doc("a", 1,
             R"({"state":"failed","tags":["red","blue"],"title":"Connection refused by peer 10.0.0.1",
                         "views":-5,"score":0.5,"done":true,"created_at":1793491200000,
                         "labels":{"team":"infra","tier":"1"},"hidden":"h"})"),
         Doc("b", 1,
             R"({"state":"failing","tags":"red","title":"refused connection","note":"Connection refused",
                         "views":7,"score":-0.0,"done":false,"created_at":1793577599999,"labels":{"team":"web"}})"),
         Doc("c", 1,
             R"({"state":"","tags":[],"title":"","note":"ÄRGER im Straßenbau, naïve 北京","views":9223372036854775807,
                         "score":1e300,"created_at":1793577600000,"labels":{}})"),
         Doc("d", 1,
             R"({"state":null,"title":null,"note":"--- !","labels":{"te":"am=infra","x=y":"z","a.b":"c"}})"),
         Doc("e", 1,
             R"({"state":"été","tags":["a b","or"],"title":"can't stop a_b","views":0,"score":7})")});
  }

  void Check(const std::vector<Case>& cases) {
    for (const Case& c : cases) EXPECT_EQ(Find(c.query), c.ids) << c.query;
  }
};

TEST_F(SearchIndexQueries, Everything) {
  Check({{"", {"a", "b", "c", "d", "e"}}, {"*", {"a", "b", "c", "d", "e"}}});
}

TEST_F(SearchIndexQueries, Keywords) {
  Check({{"state:failed", {"a"}},
         {"state:Failed", {}},
         {"state:fail*", {"a", "b"}},
         {"state:\"\"", {"c"}},
         {"state:*", {"a", "b", "c", "e"}},
         {"state:été", {"e"}},
         {"tags:red", {"a", "b"}},
         {"tags:blue", {"a"}},
         {"tags:\"a b\"", {"e"}},
         {"tags:\"or\"", {"e"}},
         {"tags:*", {"a", "b", "c", "e"}},
         {"tags:(blue or \"or\")", {"a", "e"}},
         {"state >= failed", {"a", "b", "e"}},
         {"state > failed", {"b", "e"}},
         {"state < failing", {"a", "c"}},
         {"state <= failing", {"a", "b", "c"}},
         {"tags > red", {}},
         {"tags < blue", {"e"}},
         {"state:\u00e9*", {"e"}}});
}

TEST_F(SearchIndexQueries, Texts) {
  Check({{"title:refused", {"a", "b"}},
         {"title:REFUSED", {"a", "b"}},
         {"title:refuse", {}},
         {"title:\"connection refused\"", {"a"}},
         {"title:\"refused connection\"", {"b"}},
         {"title:\"connection by\"", {}},
         {"title:(peer or stop)", {"a", "e"}},
         {"title:peer stop", {"a", "e"}},
         {"title:10.0.0.1", {"a"}},
         {"title:10", {}},
         {"title:can't", {"e"}},
         {"title:\"a_b\"", {"e"}},
         {"title:*", {"a", "b", "c", "e"}},
         {"note:*", {"b", "c", "d"}},
         {"refused", {"a", "b"}},
         {"\"connection refused\"", {"a", "b"}},
         {"\"CONNECTION   refused!\"", {"a", "b"}},
         {"ärger", {"c"}},
         {"arger", {}},
         {"Straßenbau", {"c"}},
         {"strassenbau", {}},
         {"NAÏVE nothing", {"c"}},
         {"北京", {"c"}},
         {"title:--", {}},
         {"not title:--", {"a", "b", "c", "d", "e"}},
         {"not refused", {"c", "d", "e"}}});
}

TEST_F(SearchIndexQueries, Patterns) {
  Check({{"state:*ed", {"a"}},          {"state:f*d", {"a"}},
         {"state:*ail*", {"a", "b"}},   {"state:f*i*i*g", {"b"}},
         {"state:failed*", {"a"}},      {"state:faile*ed", {}},
         {"state:?ailed", {}},          {"state:*\u00e9", {"e"}},
         {"state:*t*", {"e"}},          {"tags:*e*", {"a", "b"}},
         {"tags:a *", {"e"}},           {"tags:* b", {"e"}},
         {"labels.team:*n*a", {"a"}},   {"labels.te:*=in*", {"d"}},
         {"title:refus*", {"a", "b"}},  {"title:REFUS*", {"a", "b"}},
         {"title:*fuse*", {"a", "b"}},  {"title:c*d", {}},
         {"title:c*n", {"a", "b"}},     {"title:10.*", {"a"}},
         {"title:1*0*1", {"a"}},        {"title:can'*", {"e"}},
         {"note:stra\u00dfe*", {"c"}},  {"note:\u00c4R*", {"c"}},
         {"refus*", {"a", "b"}},        {"*bau", {"c"}},
         {"nothing conn*", {"a", "b"}}, {"conn* stop", {"a", "b", "e"}},
         {"not *e*", {"d", "e"}},       {"title:(conn* and not peer)", {"b"}}});
}

TEST_F(SearchIndexQueries, PatternsTakeWhatEnginesGiveAMeaningAsItIs) {
  Add({Doc("p", 1, R"({"state":"a?b*c\\d","tags":["100%","x_y","[z]"],"title":"a_b"})"),
       Doc("q", 1, R"({"state":"aXbYcZd","tags":["100 percent","xay","z"],"title":"axb"})"),
       Doc("r", 1, R"({"state":"two\nlines","tags":"^$.|"})")});
  Check({{"state:a?*", {"p"}},
         {"state:*?b*", {"p"}},
         {"state:a*b\\*c*", {"p"}},
         {"state:*\\\\d", {"p"}},
         {"tags:*0%*", {"p"}},
         {"tags:*_y", {"p"}},
         {"tags:*[z]", {"p"}},
         {"tags:*$.*", {"r"}},
         {"state:two*lines", {"r"}},
         {"title:*_b", {"e", "p"}}});
}

TEST_F(SearchIndexQueries, TheCostliestPatternsAreAnswered) {
  Add({Doc("p", 1, "{\"state\":\"" + std::string(1000, 'a') + "b\"}"),
       Doc("q", 1, "{\"state\":\"" + std::string(1025, 'b') + "\"}")});
  const std::string half(kPatternBytesMax / 2, 'a');
  EXPECT_EQ(Find("state:*" + half + "*" + half + "*"), std::vector<std::string>{"p"});
  EXPECT_EQ(Find("state:*" + half + "*" + half), std::vector<std::string>());
  std::string stars = "state:*";
  for (size_t i = 1; i < kPatternStarsMax; ++i) stars += std::string(30, 'a') + "*";
  EXPECT_EQ(Find(stars), std::vector<std::string>{"p"});
  std::string emoji;
  for (size_t i = 0; i < kPatternBytesMax / 4; ++i) emoji += "\xF0\x9F\x98\x80";
  EXPECT_EQ(Find("state:*" + emoji + "*"), std::vector<std::string>());
  const std::string longest(900, 'b');
  EXPECT_EQ(Find("state:" + longest + "*"), std::vector<std::string>{"q"});
  EXPECT_EQ(Find("state >= " + longest + " and state < c"), std::vector<std::string>{"q"});
}

TEST_F(SearchIndexQueries, Numbers) {
  Check({{"views:-5", {"a"}},
         {"views > -5", {"b", "c", "e"}},
         {"views >= -5", {"a", "b", "c", "e"}},
         {"views < 7", {"a", "e"}},
         {"views <= 7", {"a", "b", "e"}},
         {"views:9223372036854775807", {"c"}},
         {"views > 9223372036854775806", {"c"}},
         {"views > 9223372036854775807", {}},
         {"views < -9223372036854775808", {}},
         {"views:*", {"a", "b", "c", "e"}},
         {"score:0", {"b"}},
         {"score:\"-0.0\"", {"b"}},
         {"score >= 0", {"a", "b", "c", "e"}},
         {"score > 0", {"a", "c", "e"}},
         {"score < 0.5", {"b"}},
         {"score:0.5", {"a"}},
         {"score:7", {"e"}},
         {"score:1e300", {"c"}},
         {"views > 0 and views < 100", {"b"}}});
}

TEST_F(SearchIndexQueries, BoolsAndTimes) {
  Check({{"done:true", {"a"}},
         {"done:false", {"b"}},
         {"done:*", {"a", "b"}},
         {"not done:true", {"b", "c", "d", "e"}},
         {"created_at:2026-11-01", {"a", "b"}},
         {"created_at > 2026-11-01", {"c"}},
         {"created_at >= 2026-11-01", {"a", "b", "c"}},
         {"created_at < 2026-11-02", {"a", "b"}},
         {"created_at <= \"2026-11-01\"", {"a", "b"}},
         {"created_at:2026-11-01T00:00:00Z", {"a"}},
         {"created_at:1793577600000", {"c"}},
         {"created_at:*", {"a", "b", "c"}}});
}

TEST_F(SearchIndexQueries, Labels) {
  Check({{"labels.team:infra", {"a"}},
         {"labels.team:(infra or web)", {"a", "b"}},
         {"labels.team:i*", {"a"}},
         {"labels.team:*", {"a", "b"}},
         {"labels.te:*", {"d"}},
         {"labels.te:\"am=infra\"", {"d"}},
         {"labels.team:am", {}},
         {"labels.x=y:z", {"d"}},
         {"labels.x:\"y=z\"", {}},
         {"labels.a.b:c", {"d"}},
         {"labels:*", {"a", "b", "c", "d"}},
         {"labels.team > infra", {"b"}},
         {"labels.team <= infra", {"a"}},
         {"labels.team >= a", {"a", "b"}},
         {"labels.tier < 2", {"a"}},
         {"not labels.team:infra", {"b", "c", "d", "e"}}});
}

TEST_F(SearchIndexQueries, AndOrNot) {
  Check({{"tags:red and done:false", {"b"}},
         {"tags:red and not done:false", {"a"}},
         {"state:failed or views:0", {"a", "e"}},
         {"state:failed or views:0 and done:true", {"a"}},
         {"(state:failed or views:0) and score:7", {"e"}},
         {"not (state:failed or views:0)", {"b", "c", "d"}},
         {"not not state:failed", {"a"}},
         {"not state:*", {"d"}},
         {"not * or state:failed", {"a"}},
         {"state:f* and (labels.team:infra or labels.team:web) and not done:true and \"connection "
          "refused\"",
          {"b"}}});
}

TEST_F(SearchIndexQueries, TreesFromCode) {
  using Node = Query::Node;
  const std::vector<std::string> all = {"a", "b", "c", "d", "e"};
  EXPECT_EQ(Find(Query{.node = Node::kAnd}), all);
  EXPECT_EQ(Find(Query{.node = Node::kOr}), std::vector<std::string>());
  EXPECT_EQ(Find(Query{.node = Node::kWords}), std::vector<std::string>());
  EXPECT_EQ(Find({.node = Node::kEquals, .field = "title", .value = "Refused by"}),
            std::vector<std::string>{"a"});
  EXPECT_EQ(Find({.node = Node::kEquals, .field = "score", .value = int64_t{7}}),
            std::vector<std::string>{"e"});
  EXPECT_EQ(Find({.node = Node::kPrefix, .field = "state", .value = ""}),
            (std::vector<std::string>{"a", "b", "c", "e"}));
  EXPECT_EQ(Find({.node = Node::kPrefix, .field = "title", .value = ""}),
            (std::vector<std::string>{"a", "b", "e"}));
  EXPECT_EQ(Find({.node = Node::kPrefix, .value = "STRA"}), std::vector<std::string>{"c"});
  EXPECT_EQ(Find({.node = Node::kWildcard, .field = "state", .pieces = {"", "", ""}}),
            (std::vector<std::string>{"a", "b", "c", "e"}));
  EXPECT_EQ(Find({.node = Node::kWildcard, .field = "state", .pieces = {"fail", "", "g"}}),
            std::vector<std::string>{"b"});
  EXPECT_EQ(
      Find({.node = Node::kRange, .field = "views", .lower = int64_t{-5}, .upper = int64_t{7}}),
      (std::vector<std::string>{"a", "e"}));
  EXPECT_EQ(Find({.node = Node::kRange,
                  .field = "views",
                  .lower = int64_t{-5},
                  .upper = int64_t{7},
                  .lower_inclusive = false,
                  .upper_inclusive = true}),
            (std::vector<std::string>{"b", "e"}));
  EXPECT_EQ(Find({.node = Node::kRange, .field = "tags", .lower = "b", .upper = "c"}),
            std::vector<std::string>{"a"});
  EXPECT_EQ(Find({.node = Node::kRange, .field = "tags", .lower = "c", .upper = "d"}),
            std::vector<std::string>());
}

TEST_F(SearchIndexQueries, TheDeepestAndWidestThatPeopleCanWriteAreAnswered) {
  std::string deep = "state:failed";
  for (int i = 0; i < QueryLimits().depth_max; ++i)
    deep = "views:1 or tags:red and (" + deep + " or done:false and x)";
  EXPECT_EQ(Find(deep), (std::vector<std::string>{"a"}));
  std::string wide = "state:failed";
  for (int i = 1; i < QueryLimits().clauses_max; ++i)
    wide += " or views:" + std::to_string(1000 + i);
  EXPECT_EQ(Find(wide), (std::vector<std::string>{"a"}));
}

// As a C string it would be the text itself.
std::string WithNul(const std::string& text) {
  return text + '\0' + "x";
}

TEST_F(SearchIndexQueries, WhatCannotBeAskedIsInvalid) {
  using Node = Query::Node;
  for (const Query& query :
       {Query{.node = Node::kEquals, .field = "hidden", .value = "h"},
        Query{.node = Node::kEquals, .field = "nothing", .value = "h"},
        Query{.node = Node::kEquals, .field = "views", .value = "7"},
        Query{.node = Node::kRange, .field = "views"},
        Query{.node = Node::kNot},
        Query{.node = Node::kPrefix, .field = "views", .value = "7"},
        Query{.node = Node::kPrefix, .field = "labels", .value = "a"},
        Query{.node = Node::kPrefix, .field = "state", .value = int64_t{7}},
        Query{.node = Node::kPrefix, .field = "title", .value = "two words"},
        Query{.node = Node::kWildcard, .field = "done", .pieces = {"t", ""}},
        Query{.node = Node::kWildcard, .field = "state", .pieces = {"t"}},
        Query{.node = Node::kWildcard, .field = "state", .pieces = {"", "\xFF"}},
        Query{.node = Node::kWildcard, .field = "state", .pieces = {"", WithNul("fail"), ""}},
        Query{.node = Node::kWildcard, .field = "labels.team", .pieces = {"", WithNul("fra")}},
        Query{.node = Node::kPrefix, .field = "state", .value = WithNul("fail")},
        Query{.node = Node::kEquals, .field = "state", .value = WithNul("failed")},
        Query{.node = Node::kEquals, .field = "labels.team", .value = WithNul("infra")},
        Query{.node = Node::kExists, .field = WithNul("labels.team")},
        Query{.node = Node::kRange, .field = "state", .upper = WithNul("z")},
        Query{.node = Node::kWildcard,
        .field = "state",
        .pieces = {"", std::string(kPatternBytesMax + 1, 'x')}},
        Query{.node = Node::kWildcard,
        .field = "state",
        .pieces = std::vector<std::string>(kPatternStarsMax + 2, "x")}}) {
    const auto answer = index_->Search(Within(), Request(query));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Code::kInvalid);
  }
}

}  // namespace
}  // namespace a4c::conformance
