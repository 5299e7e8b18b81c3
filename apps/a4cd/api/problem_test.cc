#include "apps/a4cd/api/problem.h"

#include <gtest/gtest.h>

#include "apps/a4cd/api/commit.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;

TEST(Problem, EachCodeHasItsStatus) {
  const std::pair<Code, int> rows[] = {
      {Code::kInvalid, 400},        {Code::kNotFound, 404},  {Code::kConflict, 409},
      {Code::kDenied, 502},         {Code::kExhausted, 503}, {Code::kUnavailable, 503},
      {Code::kTimeout, 504},        {Code::kCanceled, 503},  {Code::kUnsupported, 501},
      {Code::kUnknownOutcome, 503}, {Code::kInternal, 500}};
  for (const auto& [code, status] : rows) {
    EXPECT_EQ(ProblemOf(Error(code, "m")).status, status) << a4c::CodeName(code);
  }
}

TEST(Problem, OfAnUnknownOutcomeSaysSoAndWhatToDo) {
  const Response response = ErrorResponse(Error(Code::kUnknownOutcome, "the connection broke"));
  const auto body = a4c::ParseJson(response.body);
  ASSERT_TRUE(body);
  EXPECT_EQ((*body)["type"].Text(), "urn:a4c:problem:outcome-unknown");
  EXPECT_NE((*body)["hint"].Text().find("Idempotency-Key"), std::string::npos);
  EXPECT_EQ(response.content_type, "application/problem+json");
}

TEST(Problem, OfABodyPointsAtEachFault) {
  const Response response =
      FaultsResponse({{"/payload/a~1b", "is required", "see"}, {"/x", "is not known here"}});
  const auto body = a4c::ParseJson(response.body);
  ASSERT_TRUE(body);
  ASSERT_EQ((*body)["errors"].Items().size(), 2u);
  EXPECT_EQ((*body)["errors"].Items()[0]["pointer"].Text(), "/payload/a~1b");
  EXPECT_EQ((*body)["status"].Int(), 400);
}

TEST(IfMatch, TakesAnETagOrAStarAndNothingElse) {
  Request request;
  EXPECT_FALSE(IfMatch(request)->has_value());
  request.headers = {{"If-Match", "\"17\""}};
  EXPECT_EQ(IfMatch(request)->value(), 17);
  request.headers = {{"if-match", "*"}};
  EXPECT_EQ(IfMatch(request)->value(), 0);
  for (const char* wrong : {"17", "\"\"", "W/\"17\"", "\"-1\"", "\"1x\"", "\""}) {
    request.headers = {{"If-Match", wrong}};
    EXPECT_FALSE(IfMatch(request)) << wrong;
  }
}

TEST(QueryString, IsDecodedAndBounded) {
  const auto query = ParseQueryString("q=a%3Ab+c&&limit=5&flag");
  ASSERT_TRUE(query);
  EXPECT_EQ((*query)[0].second, "a:b c");
  EXPECT_EQ((*query)[2].first, "flag");
  EXPECT_FALSE(ParseQueryString("q=%4"));
  EXPECT_FALSE(ParseQueryString("q=%ff"));
  EXPECT_FALSE(ParseQueryString("q=%00"));
}

}  // namespace
}  // namespace a4cd
