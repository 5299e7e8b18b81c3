#include <gtest/gtest.h>

#include "a4c/query.h"
#include "tests/unit/query/query_kind.h"

namespace a4c {
namespace {

constexpr const char* kBody =
    R"({"state":"failed","kind":["a","b"],"title":"Connection refused by Peer","views":7,"score":-0.0,
        "done":false,"created_at":1793491200000,"labels":{"team":"infra","a=b":"c"},"secret":"x","other":1})";

bool Finds(std::string_view text, std::string_view body = kBody) {
  const auto query = ParseQuery(text, QueryKind(), 0);
  EXPECT_TRUE(query) << text << ": " << (query ? "" : query.error().ToString());
  return query && Matches(*query, QueryKind(), body);
}

TEST(Matches, WhatEachLeafSays) {
  for (const char* text : {"*",
                           "state:failed",
                           "state:f*",
                           "state:*",
                           "state >= failed",
                           "state < g",
                           "kind:a",
                           "kind:b",
                           "title:refused",
                           "title:(peer)",
                           "title:\"refused BY\"",
                           "refused",
                           "\"connection refused\"",
                           "nothing peer",
                           "views:7",
                           "views > 6",
                           "views <= 7",
                           "score:0",
                           "done:false",
                           "created_at:2026-11-01",
                           "created_at <= 2026-11-01",
                           "labels.team:infra",
                           "labels.team:i*",
                           "labels.team:*",
                           "labels:*",
                           "labels.team > i",
                           "labels.team < j",
                           "labels.a=b:c",
                           "state:f*d",
                           "state:*l*",
                           "title:*fuse*",
                           "title:conn*",
                           "nothing PEE*",
                           "labels.team:*fra",
                           "not state:x",
                           "state:x or views:7"}) {
    EXPECT_TRUE(Finds(text)) << text;
  }
}

TEST(Matches, NothingElse) {
  for (const char* text : {"state:Failed",
                           "state:fail",
                           "state:\"f*\"",
                           "kind:c",
                           "title:connect",
                           "title:\"refused connection\"",
                           "title:\"connection by\"",
                           "error:*",
                           "error:refused",
                           "state:*x*",
                           "state:*fail",
                           "title:c*d",
                           "pe*x",
                           "labels.team:*team*",
                           "views:8",
                           "views < 7",
                           "views > 7",
                           "score > 0",
                           "done:true",
                           "created_at < 2026-11-01",
                           "created_at > 2026-11-01",
                           "labels.team:infra2",
                           "labels.tea:*",
                           "labels.a:\"b=c\"",
                           "labels.team > infra",
                           "labels.zone:*",
                           "labels.team:a or labels.team:b",
                           "not state:failed",
                           "x",
                           "title:--"}) {
    EXPECT_FALSE(Finds(text)) << text;
  }
}

// A capital sigma is ς at the end of a word and σ within, and a star stands for the letters behind
// it or for none.
TEST(Matches, ACapitalSigmaBesideAStarIsEitherSmallOne) {
  const char* body = R"({"title":"ΟΔΟΣΑ ΤΥΠΟΣ ΑΣΣΑΣ1 Σ"})";
  for (const char* text :
       {"title:ΟΔΟΣ*", "title:ΟΔΟσ*", "title:οδοσ*", "title:ΤΥΠΟΣ*", "title:τυπος*", "title:*ΠΟΣ*",
        "title:*ΠΟΣ", "title:*ΔΟΣ*", "title:*Σ", "title:ΤΥΠΟ*Σ", "title:ΑΣ*Σ*1", "title:Α*ΣΑΣ*",
        "ΟΔΟΣ*", "nothing ΤΥΠΟΣ*", "title:*ΣΑ", "not title:ΔΟΣ*"}) {
    EXPECT_TRUE(Finds(text, body)) << text;
  }
  for (const char* text : {"title:οδος*", "title:τυποσ*", "title:ΟΔΟς*", "title:ΔΟΣ*", "title:*ΔΟΣ",
                           "not title:ΟΔΟΣ*"}) {
    EXPECT_FALSE(Finds(text, body)) << text;
  }
  EXPECT_FALSE(Finds("title:*ΠΟΣ", R"({"title":"ΤΥΠΟσ"})"));  // it ends there
}

TEST(Matches, AbsentAndNullAreNotThereAndEmptyIs) {
  EXPECT_FALSE(Finds("state:*", R"({"state":null})"));
  EXPECT_FALSE(Finds("state < z", "{}"));
  EXPECT_TRUE(Finds("not state < z", "{}"));
  EXPECT_TRUE(Finds("state:*", R"({"state":""})"));
  EXPECT_TRUE(Finds("state:*", R"({"state":[]})"));
  EXPECT_TRUE(Finds("title:*", R"({"title":""})"));
  EXPECT_TRUE(Finds("labels:*", R"({"labels":{}})"));
}

TEST(Matches, ARangeHoldsForOneValueOfAnArray) {
  Query between{.node = Query::Node::kRange, .field = "kind", .lower = "b", .upper = "c"};
  EXPECT_FALSE(Matches(between, QueryKind(), R"({"kind":["a","d"]})"));
  EXPECT_TRUE(Matches(between, QueryKind(), R"({"kind":["a","bb"]})"));
}

TEST(Matches, KeywordsAreCutAlike) {
  const std::string value(2000, 'k');
  const std::string body = R"({"state":")" + value + R"(","labels":{"l":")" + value + "\"}}";
  EXPECT_TRUE(Finds("state:" + value, body));
  EXPECT_TRUE(Finds("state:" + value.substr(0, 1024), body));
  EXPECT_TRUE(Finds("state:" + value + "zz", body));
  EXPECT_FALSE(Finds("state:" + value.substr(0, 1023), body));
  EXPECT_TRUE(Finds("state:" + value.substr(0, 900) + "*", body));
  EXPECT_TRUE(Finds("labels.l:" + value, body));
  EXPECT_FALSE(Finds("labels.l:" + value.substr(0, 1021), body));
}

TEST(Matches, EmptyListsAndUnfitTrees) {
  const auto matches = [](const Query& query) { return Matches(query, QueryKind(), kBody); };
  EXPECT_TRUE(matches({.node = Query::Node::kAnd}));
  EXPECT_FALSE(matches({.node = Query::Node::kOr}));
  EXPECT_FALSE(matches({.node = Query::Node::kWords}));
  EXPECT_FALSE(matches({.node = Query::Node::kPhrase}));
  EXPECT_FALSE(matches({.node = Query::Node::kNot}));
  EXPECT_FALSE(matches({.node = Query::Node::kEquals, .field = "views", .value = "7"}));
  EXPECT_TRUE(matches({.node = Query::Node::kEquals, .field = "title", .value = "Refused by"}));
  EXPECT_FALSE(matches({.node = Query::Node::kEquals, .field = "title", .value = "refused peer"}));
  EXPECT_FALSE(matches({.node = Query::Node::kExists, .field = "secret"}));
}

}  // namespace
}  // namespace a4c
