#include "elastic_bulk.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "a4c/sinks.h"
#include "fake_pool.h"

namespace a4c::elastic {
namespace {

Call NoHurry() {
  return Call{SystemRuntime(NullLogSink(), NullMetricSink()).clock};
}

BulkChunk ChunkOf(size_t documents) {
  const Kind kind{.name = "thing"};
  BulkChunk chunk;
  for (size_t i = 0; i < documents; ++i) {
    const Document document{
        .ref = {"thing", {"s", "id" + std::to_string(i)}}, .rev = 7, .body = "{}"};
    AppendDocument(chunk, i, "things", document, *MakeSearchDocument(kind, document));
  }
  return chunk;
}

Json Item(const std::string& text) {
  return *ParseJson(text);
}

TEST(ElasticBulk, EachDocumentIsTwoLinesWithItsRevAsExternalVersion) {
  const BulkChunk chunk = ChunkOf(2);
  EXPECT_EQ(std::ranges::count(chunk.lines, '\n'), 4);
  EXPECT_TRUE(chunk.lines.starts_with(
      R"({"index":{"_index":"things","_id":"id0","version":7,"version_type":"external"}})"
      "\n{\"id\":\"id0\""));
  BulkChunk purge;
  AppendPurge(purge, 0, "things", {"thing", {"s", "a\"b"}});
  EXPECT_EQ(purge.lines, R"({"delete":{"_index":"things","_id":"a\"b"}})"
                         "\n");
}

TEST(ElasticBulk, OutcomesAreByStatus) {
  const auto outcome = [](const std::string& text) { return ResultOf(Item(text)).outcome; };
  EXPECT_EQ(outcome(R"({"index":{"status":201}})"), BulkOutcome::kApplied);
  EXPECT_EQ(outcome(R"({"index":{"status":200}})"), BulkOutcome::kApplied);
  EXPECT_EQ(outcome(R"({"index":{"status":409}})"), BulkOutcome::kStale);
  EXPECT_EQ(outcome(R"({"index":{"status":400,"error":{"type":"document_parsing_exception"}}})"),
            BulkOutcome::kRejected);
  EXPECT_EQ(
      outcome(R"({"index":{"status":400,"error":{"type":"strict_dynamic_mapping_exception"}}})"),
      BulkOutcome::kRetry);
  for (const int status : {404, 403, 429, 500, 503}) {
    EXPECT_EQ(outcome(R"({"index":{"status":)" + std::to_string(status) + "}}"),
              BulkOutcome::kRetry)
        << status;
  }
  EXPECT_EQ(outcome("{}"), BulkOutcome::kRetry);
  EXPECT_EQ(outcome(R"({"delete":{"status":404}})"), BulkOutcome::kApplied);
  EXPECT_EQ(outcome(R"({"delete":{"status":409}})"), BulkOutcome::kRetry);
  EXPECT_EQ(outcome(R"({"delete":{"status":429}})"), BulkOutcome::kRetry);
}

// As Elasticsearch 8.19 answers for a document that another mapping than ours would take.
TEST(ElasticBulk, ARejectionTellsTheCause) {
  const BulkResult result = ResultOf(Item(
      R"({"index":{"status":400,"error":{"type":"document_parsing_exception","reason":"[1:6] failed to parse field [a] of type [long] in document with id '2'. Preview of field's value: 'x'","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \"x\""}}}})"));
  EXPECT_EQ(result.outcome, BulkOutcome::kRejected);
  EXPECT_EQ(result.error->code(), Code::kInvalid);
  EXPECT_EQ(result.error->message(),
            "status 400 document_parsing_exception: [1:6] failed to parse field [a] of type [long] "
            "in document with id '2'. Preview of field's value: 'x': For input string: \"x\"");
}

// As Elasticsearch 8.19 answers while the index is closed, and while its alias names no index to
// write to: an outage, that ends with _open or a swap, and nothing may have become a dead letter.
TEST(ElasticBulk, AnIndexThatTakesNothingRejectsNothing) {
  for (
      const char* error :
      {R"({"type":"index_closed_exception","reason":"closed","index_uuid":"5ES7sBiPSYCEouxVT5E6gQ","index":"t-000001"})",
       R"({"type":"illegal_argument_exception","reason":"no write index is defined for alias [t]. The write index may be explicitly disabled using is_write_index=false or the alias points to multiple indices without one being designated as a write index"})",
       R"({"type":"an_exception_that_nobody_knows","reason":"no","caused_by":{"type":"mapper_parsing_exception","reason":"of something else"}})"}) {
    const std::string outcome = std::string(R"({"status":400,"error":)") + error + "}";
    FakePool pool([&](const HttpRequest&) {
      return HttpAnswer{200, R"({"errors":true,"items":[{"index":)" + outcome + R"(},{"delete":)" +
                                 outcome + "}]}"};
    });
    std::vector<BulkResult> results(2);
    SendChunk(pool, NoHurry(), ChunkOf(2), results);
    for (const BulkResult& result : results) {
      EXPECT_EQ(result.outcome, BulkOutcome::kRetry) << error;
      EXPECT_EQ(result.error->code(), Code::kUnavailable) << "a rebuild goes on after it";
      EXPECT_FALSE(result.error->hint().empty());
    }
  }
}

TEST(ElasticBulk, AnOutageLeavesEveryDocumentToBeSentAgain) {
  for (const bool refused : {true, false}) {
    FakePool pool([&](const HttpRequest&) -> Result<HttpAnswer> {
      if (refused) return Error(Code::kUnavailable, "refused");
      return HttpAnswer{503, "{}"};
    });
    std::vector<BulkResult> results(3, {.outcome = BulkOutcome::kApplied});
    SendChunk(pool, NoHurry(), ChunkOf(3), results);
    for (const BulkResult& result : results) {
      EXPECT_EQ(result.outcome, BulkOutcome::kRetry);
      EXPECT_EQ(result.error->code(), Code::kUnavailable);
    }
  }
}

TEST(ElasticBulk, AnAnswerThatLacksDocumentsProvesNothing) {
  for (const char* answer : {R"({"items":[{"index":{"status":201}}]})", R"({"errors":false})",
                             R"({"errors":false,"items":[{"index":{"status":201}}]})"}) {
    FakePool pool([&](const HttpRequest&) { return HttpAnswer{200, answer}; });
    std::vector<BulkResult> results(2, {.outcome = BulkOutcome::kApplied});
    SendChunk(pool, NoHurry(), ChunkOf(2), results);
    for (const BulkResult& result : results) EXPECT_EQ(result.outcome, BulkOutcome::kRetry);
  }
}

TEST(ElasticBulk, OneThatFailedAmongManyIsSeen) {
  FakePool pool([](const HttpRequest&) {
    return HttpAnswer{
        200, R"({"errors":true,"items":[{"index":{"status":201}},{"index":{"status":429}}]})"};
  });
  std::vector<BulkResult> results(2);
  SendChunk(pool, NoHurry(), ChunkOf(2), results);
  EXPECT_EQ(results[0].outcome, BulkOutcome::kApplied);
  EXPECT_EQ(results[1].outcome, BulkOutcome::kRetry);
}

TEST(ElasticBulk, AUsualAnswerIsApplied) {
  FakePool pool([](const HttpRequest&) {
    return HttpAnswer{
        200, R"({"errors":false,"items":[{"index":{"status":201}},{"index":{"status":200}}]})"};
  });
  std::vector<BulkResult> results(2);
  SendChunk(pool, NoHurry(), ChunkOf(2), results);
  for (const BulkResult& result : results) EXPECT_EQ(result.outcome, BulkOutcome::kApplied);
}

// A server that takes one document at a time, and none whose id is id3.
TEST(ElasticBulk, WhatIsTooLongIsHalvedUntilOnlyTheTooLongDocumentIsRejected) {
  FakePool pool([](const HttpRequest& request) {
    const bool one = std::ranges::count(request.body, '\n') == 2;
    if (!one || request.body.find("id3") != std::string::npos) return HttpAnswer{413, "{}"};
    return HttpAnswer{200, R"({"items":[{"index":{"status":201}}]})"};
  });
  std::vector<BulkResult> results(5);
  SendChunk(pool, NoHurry(), ChunkOf(5), results);
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].outcome, i == 3 ? BulkOutcome::kRejected : BulkOutcome::kApplied) << i;
  }
}

}  // namespace
}  // namespace a4c::elastic
