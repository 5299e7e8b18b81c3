#include "elastic_mapping.h"

#include <gtest/gtest.h>

namespace a4c::elastic {
namespace {

Kind TheKind() {
  return {.name = "thing",
          .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                     {.name = "title", .type = FieldType::kText, .searchable = true},
                     {.name = "done", .type = FieldType::kBool, .searchable = true},
                     {.name = "hidden", .type = FieldType::kKeyword}}};
}

TEST(ElasticMapping, HasTheSearchableFieldsAndIsStrict) {
  const Json mapping = MappingOf(TheKind());
  EXPECT_EQ(mapping["dynamic"].Text(), "strict");
  EXPECT_EQ(
      mapping["properties"]["f"].ToString(),
      R"({"dynamic":"strict","properties":{"state":{"type":"keyword"},"title":{"type":"text",)"
      R"("analyzer":"whitespace","norms":false},"done":{"type":"long"}}})");
}

TEST(ElasticMapping, WhatIsMissingIsAddedAndWhatDiffersIsAConflict) {
  Kind kind = TheKind();
  const Json mapping = MappingOf(kind);
  auto missing = MissingOf(kind, mapping);
  ASSERT_TRUE(missing);
  EXPECT_TRUE(missing->IsNull());
  kind.fields[3].searchable = true;
  missing = MissingOf(kind, mapping);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->ToString(),
            R"({"properties":{"f":{"properties":{"hidden":{"type":"keyword"}}}}})");
  kind.fields[0].type = FieldType::kText;
  missing = MissingOf(kind, mapping);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kConflict);
  EXPECT_EQ(MissingOf(kind, Json()).error().code(), Code::kConflict);
}

TEST(ElasticMapping, ADocumentHoldsItsWordsAndItsBody) {
  const Document document{.ref = {"thing", {"acme", "id-1"}},
                          .rev = 4,
                          .body = R"({"title":"It Works!","done":true,"state":"ok"})",
                          .projection = 2};
  const auto indexed = MakeSearchDocument(TheKind(), document);
  ASSERT_TRUE(indexed);
  const Json made = DocumentOf(document, *indexed);
  EXPECT_EQ(made["f"].ToString(), R"({"state":["ok"],"title":"it works","done":1})");
  EXPECT_EQ(made["exists"].ToString(), R"(["state","title","done"])");
  EXPECT_EQ(made["body"].Text(), document.body);
  EXPECT_EQ(made["rev"].Int(), 4);
  EXPECT_EQ(made["hash"].Int(), int64_t{BodyHash(document.body)});
  EXPECT_EQ(made["digest"].Int(), int64_t{indexed->digest});
  EXPECT_EQ(made["projection"].Int(), 2);
}

TEST(ElasticMapping, ANewIndexForgetsRemovedRevsAndRefreshesWhenAsked) {
  const Json body = CreateBody(TheKind(), "things", {.shards = 3, .replicas = 2});
  EXPECT_EQ(
      body["settings"]["index"].ToString(),
      R"({"number_of_shards":3,"number_of_replicas":2,"refresh_interval":"-1","gc_deletes":"0s"})");
  EXPECT_TRUE(body["aliases"]["things"]["is_write_index"].Bool());
  EXPECT_EQ(CreateBody(TheKind(), "t",
                       {.refresh_interval_ms = 500})["settings"]["index"]["refresh_interval"]
                .Text(),
            "500ms");
}

}  // namespace
}  // namespace a4c::elastic
