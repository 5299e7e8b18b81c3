#include "elastic_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace a4c::elastic {
namespace {

struct Case {
  int status;
  const char* type;
  Code writes;
  Code reads;
};

TEST(ElasticErrors, EveryStatusHasItsCode) {
  for (const Case& c :
       {Case{400, "parsing_exception", Code::kInvalid, Code::kInvalid},
        Case{400, "resource_already_exists_exception", Code::kConflict, Code::kConflict},
        Case{400, "index_closed_exception", Code::kUnavailable, Code::kUnavailable},
        Case{401, "", Code::kDenied, Code::kDenied}, Case{403, "", Code::kDenied, Code::kDenied},
        Case{403, "cluster_block_exception", Code::kUnavailable, Code::kUnavailable},
        Case{404, "index_not_found_exception", Code::kNotFound, Code::kNotFound},
        Case{405, "", Code::kUnsupported, Code::kUnsupported},
        Case{408, "", Code::kTimeout, Code::kTimeout},
        Case{409, "", Code::kConflict, Code::kConflict},
        Case{413, "", Code::kInvalid, Code::kInvalid},
        Case{429, "", Code::kExhausted, Code::kExhausted},
        Case{429, "cluster_block_exception", Code::kUnavailable, Code::kUnavailable},
        Case{500, "", Code::kUnknownOutcome, Code::kUnavailable},
        Case{502, "", Code::kUnknownOutcome, Code::kUnavailable},
        Case{503, "", Code::kUnavailable, Code::kUnavailable},
        Case{504, "", Code::kUnknownOutcome, Code::kUnavailable},
        Case{418, "", Code::kInternal, Code::kInternal}}) {
    EXPECT_EQ(ErrorOfStatus(c.status, c.type, "", Effect::kWrites).code(), c.writes)
        << c.status << c.type;
    EXPECT_EQ(ErrorOfStatus(c.status, c.type, "", Effect::kReads).code(), c.reads)
        << c.status << c.type;
  }
}

// Elasticsearch 7 said it with 403.
TEST(ElasticErrors, AFullDiskIsAskedForByEitherStatus) {
  for (const int status : {403, 429}) {
    const Error error = ErrorOfStatus(status, "cluster_block_exception", "", Effect::kWrites);
    EXPECT_NE(error.hint().find("disk"), std::string::npos) << error.ToString();
    EXPECT_TRUE(error.retryable());
  }
}

// As Elasticsearch 8 answers a search.
TEST(ElasticErrors, AClosedIndexIsNoFaultOfWhoSearchesIt) {
  const Error error = ErrorOfAnswer(
      400,
      R"({"error":{"root_cause":[{"type":"index_closed_exception","reason":"closed","index":"t-000001"}],"type":"index_closed_exception","reason":"closed","index":"t-000001"},"status":400})",
      Effect::kReads);
  EXPECT_TRUE(error.retryable()) << error.ToString();
  EXPECT_EQ(error.hint(), "open the index");
}

// As OpenSSL and Poco say it.
TEST(ElasticErrors, ACertificateThatIsNotTrustedIsNoServerThatIsDown) {
  for (const char* what :
       {"SSL Exception: error:0A000086:SSL routines::certificate verify failed",
        "Certificate validation error: Unacceptable certificate from 127.0.0.1"}) {
    const Error error = ErrorOfConnection("n", what, false, false, Effect::kWrites);
    EXPECT_NE(error.hint().find("ca_file"), std::string::npos) << error.ToString();
  }
  const Error refused = ErrorOfConnection("n", "refused", false, false, Effect::kReads);
  EXPECT_EQ(refused.hint(), "is the server up?");
}

TEST(ElasticErrors, TheRootCauseIsTold) {
  const Error error = ErrorOfAnswer(
      400,
      R"({"error":{"root_cause":[{"type":"parsing_exception","reason":"no such clause"}],"type":"x"},"status":400})",
      Effect::kReads);
  EXPECT_EQ(error.message(), "status 400 parsing_exception: no such clause");
  EXPECT_EQ(
      ErrorOfAnswer(405, R"({"error":"wrong method","status":405})", Effect::kReads).message(),
      "status 405: wrong method");
  EXPECT_EQ(ErrorOfAnswer(503, "<html>", Effect::kReads).code(), Code::kUnavailable);
}

TEST(ElasticErrors, ALostAnswerOfAWriteIsUnknownAndOnlyThat) {
  EXPECT_EQ(ErrorOfConnection("n", "reset", true, false, Effect::kWrites).code(),
            Code::kUnknownOutcome);
  EXPECT_EQ(ErrorOfConnection("n", "timeout", true, true, Effect::kWrites).code(),
            Code::kUnknownOutcome);
  EXPECT_EQ(ErrorOfConnection("n", "refused", false, false, Effect::kWrites).code(),
            Code::kUnavailable);
  EXPECT_EQ(ErrorOfConnection("n", "timeout", false, true, Effect::kWrites).code(), Code::kTimeout);
  EXPECT_EQ(ErrorOfConnection("n", "reset", true, false, Effect::kReads).code(),
            Code::kUnavailable);
  EXPECT_EQ(ErrorOfConnection("n", "timeout", true, true, Effect::kReads).code(), Code::kTimeout);
}

TEST(ElasticErrors, OnlyWhatIsWrongWithTheDocumentIsPermanent) {
  EXPECT_TRUE(IsPermanent(400, "document_parsing_exception", "[1:6] failed to parse field [a]"));
  EXPECT_TRUE(IsPermanent(400, "mapper_parsing_exception", "failed to parse"));
  EXPECT_TRUE(IsPermanent(413, "", ""));
  EXPECT_FALSE(IsPermanent(400, "strict_dynamic_mapping_exception", "mapping set to strict"));
  EXPECT_FALSE(IsPermanent(400, "index_closed_exception", "closed"));
  EXPECT_FALSE(IsPermanent(400, "an_exception_that_nobody_knows", "")) << "nor what is not known";
  EXPECT_FALSE(IsPermanent(400, "", ""));
  for (const int status : {401, 403, 404, 409, 429, 500, 503}) {
    EXPECT_FALSE(IsPermanent(status, "document_parsing_exception", "")) << status;
  }
}

// One type for what is wrong with the document and for what is wrong with the index.
TEST(ElasticErrors, AnIllegalArgumentIsTheDocumentsOnlyIfTheReasonSaysSo) {
  for (const char* reason :
       {R"(Document contains at least one immense term in field="f.name" (whose UTF8 encoding is)",
        R"(DocValuesField "f.name" is too large, must be <= 32766)"}) {
    EXPECT_TRUE(IsPermanent(400, "illegal_argument_exception", reason)) << reason;
    EXPECT_FALSE(IsPermanent(400, "another_exception", reason)) << reason;
  }
  for (const char* reason :
       {"no write index is defined for alias [jobs]. The write index may be explicitly disabled",
        "Number of documents in the index can't exceed [2147483519]",
        "Limit of total fields [1000] has been exceeded",
        "pipeline with id [enrich] does not exist", ""}) {
    EXPECT_FALSE(IsPermanent(400, "illegal_argument_exception", reason)) << reason;
  }
}

TEST(ElasticErrors, WhatIsToBeSentAgainIsNeverCalledInvalid) {
  const Error unknown = ErrorOfRetry(400, "illegal_argument_exception", "no write index");
  EXPECT_EQ(unknown.code(), Code::kUnavailable);
  EXPECT_EQ(unknown.message(), "status 400 illegal_argument_exception: no write index");
  EXPECT_NE(unknown.hint().find("alias"), std::string::npos);
  EXPECT_EQ(ErrorOfRetry(400, "index_closed_exception", "closed").hint(), "open the index");
  EXPECT_EQ(ErrorOfRetry(404, "index_not_found_exception", "").code(), Code::kNotFound);
  EXPECT_EQ(ErrorOfRetry(429, "", "").code(), Code::kExhausted);
}

}  // namespace
}  // namespace a4c::elastic
