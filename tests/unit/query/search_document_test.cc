#include "a4c/search_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "a4c/digests.h"
#include "tests/unit/query/query_kind.h"

namespace a4c {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Document Of(std::string body) {
  return {.ref = {"thing", {"acme", "id-1"}}, .rev = 3, .body = std::move(body), .projection = 2};
}

std::string Refusal(const Document& document) {
  const auto made = MakeSearchDocument(QueryKind(), document);
  EXPECT_FALSE(made) << document.body.substr(0, 80);
  if (made) return {};
  EXPECT_EQ(made.error().code(), Code::kInvalid);
  return made.error().message();
}

TEST(SearchDocument, HoldsSearchableFieldsInTheKindsOrder) {
  const auto made = MakeSearchDocument(
      QueryKind(), Of(R"({"labels":{"b":"2","a":"1"},"title":"Hello, World","kind":["y","x","y"],
                          "secret":"s","done":true,"score":2,"views":null})"));
  ASSERT_TRUE(made) << made.error().ToString();
  ASSERT_EQ(made->fields.size(), 5u);
  EXPECT_THAT(made->fields[0].keywords, ElementsAre("x", "y"));
  EXPECT_THAT(made->Find("title")->words, ElementsAre("hello", "world"));
  EXPECT_THAT(made->Find("labels")->keywords, ElementsAre("a=1", "b=2"));
  EXPECT_EQ(made->Find("score")->number, Scalar(2.0));
  EXPECT_EQ(made->Find("done")->number, Scalar(true));
  EXPECT_EQ(made->Find("views"), nullptr);
  EXPECT_EQ(made->Find("secret"), nullptr);
}

TEST(SearchDocument, CarriesItsDigest) {
  const Document document = Of("{}");
  const auto made = MakeSearchDocument(QueryKind(), document);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->body_hash, BodyHash("{}"));
  EXPECT_EQ(made->bucket, DigestBucket("id-1"));
  EXPECT_EQ(made->digest, DigestOf("id-1", 3, BodyHash("{}"), false, 2));
}

TEST(SearchDocument, RefusesTypesThatDoNotFitNamingTheField) {
  EXPECT_THAT(Refusal(Of(R"({"state":5})")), HasSubstr("\"state\" is not a string"));
  EXPECT_THAT(Refusal(Of(R"({"state":["a",5]})")), HasSubstr("\"state\" holds something else"));
  EXPECT_THAT(Refusal(Of(R"({"state":["a",null]})")), HasSubstr("\"state\""));
  EXPECT_THAT(Refusal(Of(R"({"title":["a"]})")), HasSubstr("\"title\" is not a string"));
  EXPECT_THAT(Refusal(Of(R"({"views":1.5})")), HasSubstr("\"views\" is not a 64-bit integer"));
  EXPECT_THAT(Refusal(Of(R"({"views":9223372036854775808})")), HasSubstr("\"views\""));
  EXPECT_THAT(Refusal(Of(R"({"score":"1"})")), HasSubstr("\"score\" is not a number"));
  EXPECT_THAT(Refusal(Of(R"({"done":1})")), HasSubstr("\"done\" is not true or false"));
  EXPECT_THAT(Refusal(Of(R"({"created_at":"2026-11-01"})")), HasSubstr("\"created_at\""));
  EXPECT_THAT(Refusal(Of(R"({"labels":"x"})")), HasSubstr("\"labels\" is not an object"));
  EXPECT_THAT(Refusal(Of(R"({"labels":{"a":1}})")), HasSubstr("\"labels\" holds something else"));
  EXPECT_THAT(Refusal(Of(R"({"state":"a\u0000b"})")), HasSubstr("\"state\" holds a NUL"));
}

TEST(SearchDocument, RefusesBodiesKeysAndRevsOutsideTheirBounds) {
  EXPECT_THAT(Refusal(Of("[]")), HasSubstr("not a JSON object"));
  EXPECT_THAT(Refusal(Of("{")), HasSubstr("offset"));
  EXPECT_THAT(Refusal(Of("{\"a\":" + std::string(1001, '[') + std::string(1001, ']') + "}")),
              HasSubstr("offset"));
  std::string many = "{\"state\":[\"0\"";
  for (size_t i = 1; i <= kSearchValuesMax; ++i) many += ",\"" + std::to_string(i) + "\"";
  EXPECT_THAT(Refusal(Of(many + "]}")), HasSubstr("more than 4096 values"));
  Document document = Of("{}");
  document.rev = 0;
  EXPECT_THAT(Refusal(document), HasSubstr("rev 0"));
  document = Of("{}");
  document.ref.key.id = "";
  EXPECT_THAT(Refusal(document), HasSubstr("id is empty"));
}

TEST(SearchDocument, OfATombstoneLooksNotIntoTheBody) {
  Document document = Of(R"({"state":5)");
  document.tombstone = true;
  const auto made = MakeSearchDocument(QueryKind(), document);
  ASSERT_TRUE(made);
  EXPECT_THAT(made->fields, IsEmpty());
  EXPECT_EQ(made->digest, DigestOf("id-1", 3, BodyHash(document.body), true, 2));
}

TEST(SearchDocument, MapEntriesAreUnambiguousAndCut) {
  EXPECT_EQ(MapEntry("team", "infra"), "team=infra");
  EXPECT_EQ(MapEntry("a=b", "c"), "a\\=b=c");
  EXPECT_EQ(MapEntry("a\\", "c"), "a\\\\=c");
  EXPECT_NE(MapEntry("a", "b=c"), MapEntry("a=b", "c"));
  EXPECT_EQ(MapEntry("k", std::string(5000, 'v')).size(), kKeywordBytesMax);
}

}  // namespace
}  // namespace a4c
