#include "elastic_index.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "a4c/json.h"
#include "a4c/rebuild.h"
#include "a4c/sinks.h"
#include "fake_pool.h"

namespace a4c::elastic {
namespace {

Call NoHurry() {
  return Call{SystemRuntime(NullLogSink(), NullMetricSink()).clock};
}

Kind TheKind() {
  return {.name = "job",
          .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true}}};
}

struct Index {
  explicit Index(FakePool::Answer answer, const IndexOptions& options = {}) {
    auto fake = std::make_unique<FakePool>(std::move(answer));
    pool = fake.get();
    index = NewElasticIndex(std::move(fake), options);
  }
  FakePool* pool;
  std::unique_ptr<SearchIndex> index;
};

TEST(ElasticIndex, NamesAreTheKindsWithAnSOrAsConfigured) {
  EXPECT_EQ(AliasOf({}, "job"), "jobs");
  EXPECT_EQ(AliasOf({.prefix = "prod-", .names = {{"job", "work"}}}, "job"), "prod-work");
  EXPECT_EQ(AliasOf({.prefix = "prod-", .names = {{"job", "work"}}}, "loop"), "prod-loops");
}

TEST(ElasticIndex, WhoLosesTheRaceToCreateTakesTheWinnersIndex) {
  int gets = 0;
  Index raced([&](const HttpRequest& request) {
    if (request.method == "PUT") {
      return HttpAnswer{
          400,
          R"({"error":{"type":"resource_already_exists_exception","reason":"x"},"status":400})"};
    }
    if (++gets == 1) return HttpAnswer{404, "{}"};
    return HttpAnswer{
        200,
        R"({"jobs-000001":{"mappings":{"_meta":{"a4c_layout":1},"properties":{"f":{"properties":{"state":{"type":"keyword"}}}}}}})"};
  });
  const Kind kind = TheKind();
  EXPECT_TRUE(raced.index->Ensure(NoHurry(), {&kind, 1}));
  EXPECT_EQ(raced.pool->requests.size(), 3u);
}

TEST(ElasticIndex, AnIndexNamedLikeTheAliasIsAConflict) {
  Index index([](const HttpRequest&) { return HttpAnswer{200, R"({"jobs":{"mappings":{}}})"}; });
  const Kind kind = TheKind();
  const auto ensured = index.index->Ensure(NoHurry(), {&kind, 1});
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), Code::kConflict);
  EXPECT_NE(ensured.error().message().find("\"jobs\""), std::string::npos);
  EXPECT_NE(ensured.error().hint().find("index_prefix"), std::string::npos);
}

TEST(ElasticIndex, BulksAreCutByBytesAndOneThatFailsLeavesTheOthers) {
  int bulks = 0;
  Index index(
      [&](const HttpRequest& request) -> Result<HttpAnswer> {
        if (!request.path.starts_with("/_bulk")) return HttpAnswer{200, "{}"};
        if (++bulks == 2) return Error(Code::kUnavailable, "refused");
        const auto lines = std::ranges::count(request.body, '\n');
        Json items = Json::Array{};
        for (long i = 0; i < lines / 2; ++i)
          items.Append(*ParseJson(R"({"index":{"status":201}})"));
        return HttpAnswer{200, Json().Set("items", std::move(items)).ToString()};
      },
      {.bulk_bytes_max = 1500});
  const Kind kind = TheKind();
  ASSERT_TRUE(index.index->Ensure(NoHurry(), {&kind, 1}));
  std::vector<Document> documents;
  for (int i = 0; i < 12; ++i) {
    documents.push_back({.ref = {"job", {"", "id" + std::to_string(i)}},
                         .rev = 1,
                         .body = R"({"state":")" + std::string(300, 'x') + "\"}"});
  }
  const auto results = index.index->Bulk(NoHurry(), documents);
  ASSERT_TRUE(results);
  const auto retried = std::ranges::count(*results, BulkOutcome::kRetry, &BulkResult::outcome);
  const auto applied = std::ranges::count(*results, BulkOutcome::kApplied, &BulkResult::outcome);
  EXPECT_GT(bulks, 3);
  EXPECT_GT(retried, 0);
  EXPECT_LT(retried, 4);
  EXPECT_EQ(retried + applied, 12);
}

TEST(ElasticIndex, AStaleDocumentOfWhichNothingIsKnownIsSentAgain) {
  Index index([&](const HttpRequest& request) {
    if (request.path.starts_with("/_bulk"))
      return HttpAnswer{200, R"({"items":[{"index":{"status":409}}]})"};
    if (request.path == "/_mget") return HttpAnswer{200, R"({"docs":[{"found":false}]})"};
    return HttpAnswer{200, "{}"};
  });
  const Kind kind = TheKind();
  ASSERT_TRUE(index.index->Ensure(NoHurry(), {&kind, 1}));
  const Document document{.ref = {"job", {"", "a"}}, .rev = 1, .body = "{}"};
  const auto results = index.index->Bulk(NoHurry(), {&document, 1});
  ASSERT_TRUE(results);
  EXPECT_EQ(results->at(0).outcome, BulkOutcome::kRetry);
}

TEST(ElasticIndex, ASwapThatAnotherOneOvertakesOnTheWayChangesNothing) {
  Index index([](const HttpRequest& request) {
    if (request.path.starts_with("/_aliases"))
      return HttpAnswer{404, R"({"error":{"type":"aliases_not_found_exception"},"status":404})"};
    return HttpAnswer{200, R"({"jobs-000001":{"aliases":{"jobs":{}}},"jobs-000002":{}})"};
  });
  const auto late = index.index->As<Rebuild>()->Swap(NoHurry(), TheKind(), 2);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kConflict);
  const Json sent = *ParseJson(index.pool->requests.back().body);
  const Json& removed = sent["actions"].Items().at(0)["remove"];
  EXPECT_EQ(removed["index"].Text(), "jobs-000001");
  EXPECT_TRUE(removed["must_exist"].Bool());
}

TEST(ElasticIndex, FacetsAreAskedAgainUntilTheyAreExact) {
  int searches = 0;
  Index index([&](const HttpRequest& request) {
    if (request.path.find("_search") == std::string::npos) return HttpAnswer{200, "{}"};
    const bool exact = ++searches == 3;
    return HttpAnswer{
        200,
        R"({"hits":{"total":{"value":7},"hits":[]},"aggregations":{"facet0":{"doc_count_error_upper_bound":)" +
            std::string(exact ? "0" : "5") + R"(,"buckets":[{"key":"x","doc_count":7}]}}})"};
  });
  const Kind kind = TheKind();
  ASSERT_TRUE(index.index->Ensure(NoHurry(), {&kind, 1}));
  const auto answer = index.index->Search(NoHurry(), {.kind = kind, .facets = {{"state"}}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(searches, 3);
  EXPECT_EQ(answer->facets.at(0).at(0).count, 7);
  EXPECT_NE(index.pool->requests.back().body.find("\"shard_size\":100000"), std::string::npos);
}

// A field that has just become searchable is in bodies, but in no document until it is sent again.
TEST(ElasticIndex, APageGoesOnBehindWhatIsIndexedAndNotBehindTheBody) {
  const Kind kind{.name = "job",
                  .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true},
                             {.name = "views", .type = FieldType::kLong, .searchable = true},
                             {.name = "at", .type = FieldType::kTime, .searchable = true},
                             {.name = "score", .type = FieldType::kDouble, .searchable = true},
                             {.name = "done", .type = FieldType::kBool, .searchable = true}}};
  const std::string max = "9223372036854775807";
  const std::string min = "-9223372036854775808";
  const std::string absent = R"([null,)" + max + "," + max + R"(,"Infinity",)" + max + R"(,"a"])";
  const std::string absent_down =
      R"([null,)" + min + "," + min + R"(,"-Infinity",)" + min + R"(,"a"])";
  for (const auto& [sort, sent] : std::vector<std::pair<std::string, std::string>>{
           {absent, absent},
           {absent_down, absent_down},
           {R"([null,null,null,null,null,"a"])", absent},
           {R"(["b",-3,1793491200000,-1.5,0,"a"])", R"(["b",-3,1793491200000,-1.5,0,"a"])"},
           {R"(["c",7,-1,1e+300,1,"a"])", R"(["c",7,-1,1e+300,1,"a"])"}}) {
    SCOPED_TRACE(sort);
    const std::string body = R"({\"state\":5,\"views\":5,\"at\":5,\"score\":5,\"done\":true})";
    std::string hit = R"({"_source":{"id":"a","scope":"","rev":1,"body":")";
    hit.append(body).append(R"("},"sort":)").append(sort).append("}");
    std::string hits = R"({"hits":{"total":{"value":2},"hits":[)";
    hits.append(hit).append(",").append(hit).append("]}}");
    Index index([&](const HttpRequest& request) {
      const bool search = request.path.find("_search") != std::string::npos;
      return HttpAnswer{200, search ? hits : "{}"};
    });
    ASSERT_TRUE(index.index->Ensure(NoHurry(), {&kind, 1}));
    const bool down = sort == absent_down;
    SearchRequest request{.kind = kind, .limit = 1};
    for (const Field& field : kind.fields) request.sort.push_back({field.name, down});
    const auto page = index.index->Search(NoHurry(), request);
    ASSERT_TRUE(page) << page.error().ToString();
    request.after = page->next;
    ASSERT_TRUE(index.index->Search(NoHurry(), request));
    const Json body_sent = *ParseJson(index.pool->requests.back().body);
    EXPECT_EQ(body_sent["search_after"], *ParseJson(sent));
  }
}

TEST(ElasticIndex, AHitThatDoesNotSayWhereItStandsEndsNoList) {
  Index index([&](const HttpRequest& request) {
    const bool search = request.path.find("_search") != std::string::npos;
    return HttpAnswer{
        200,
        search ? R"({"hits":{"hits":[{"_source":{"id":"a"}},{"_source":{"id":"b"}}]}})" : "{}"};
  });
  const Kind kind = TheKind();
  ASSERT_TRUE(index.index->Ensure(NoHurry(), {&kind, 1}));
  const auto page = index.index->Search(NoHurry(), {.kind = kind, .limit = 1});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code(), Code::kInternal);
}

TEST(ElasticIndex, ASearchOrRefreshThatOnlySomeShardsAnsweredIsNone) {
  Index index([&](const HttpRequest& request) {
    if (request.path.ends_with("_refresh")) return HttpAnswer{200, R"({"_shards":{"failed":1}})"};
    if (request.path.find("_search") != std::string::npos) {
      EXPECT_NE(request.path.find("allow_partial_search_results=false"), std::string::npos);
      return HttpAnswer{200, R"({"timed_out":true,"hits":{"total":{"value":0},"hits":[]}})"};
    }
    return HttpAnswer{200, "{}"};
  });
  const Kind kind = TheKind();
  ASSERT_TRUE(index.index->Ensure(NoHurry(), {&kind, 1}));
  EXPECT_EQ(index.index->Refresh(NoHurry(), "job").error().code(), Code::kUnavailable);
  EXPECT_EQ(index.index->Search(NoHurry(), {.kind = kind}).error().code(), Code::kTimeout);
}

}  // namespace
}  // namespace a4c::elastic
