#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "a4c/query.h"
#include "tests/unit/query/query_kind.h"

namespace a4c {
namespace {

struct Case {
  const char* text;
  const char* error;  // how the message begins
  const char* hint;   // what the hint has
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.text;
}

class QueryErrors : public testing::TestWithParam<Case> {};

TEST_P(QueryErrors, PointAtTheColumnWithAHint) {
  const auto query = ParseQuery(GetParam().text, QueryKind(), 0);
  ASSERT_FALSE(query) << Show(*query);
  EXPECT_EQ(query.error().code(), Code::kInvalid);
  EXPECT_THAT(query.error().message(), testing::StartsWith(GetParam().error));
  EXPECT_THAT(query.error().hint(), testing::HasSubstr(GetParam().hint));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, QueryErrors,
    testing::Values(
        Case{"stat:x", "column 1: unknown field \"stat\"", "did you mean \"state\"?"},
        Case{"state:a and veiws > 5", "column 13: unknown field \"veiws\"", "\"views\""},
        Case{"zzzzzzzz:x", "column 1: unknown field", "fields: state, kind, title"},
        Case{"secret:x", "column 1: unknown field \"secret\"", "fields:"},
        Case{"été or stat:x", "column 8: unknown field", "state"},
        Case{"state.x:1", "column 1: unknown field \"state.x\"", "fields:"},
        Case{"labels:infra", "column 1: \"labels\" holds named values", "labels.<name>:value"},
        Case{"labels:* sta", "column 8: \"labels\" holds named values", "labels.<name>:value"},
        Case{"labels > 1", "column 1: \"labels\" holds named values", "labels.<name>"},
        Case{"\"state\":x", "column 1: expected the name of a field", "state"},
        Case{"sta*:x", "column 1: expected the name of a field", "state"}));

INSTANTIATE_TEST_SUITE_P(
    Values, QueryErrors,
    testing::Values(
        Case{"views:many", "column 7: \"many\" is not an integer", ""},
        Case{"views:5x", "column 7: \"5x\" is not an integer", ""},
        Case{"views:9223372036854775808", "column 7: \"9223372036854775808\" is not an integer",
             ""},
        Case{"views > 1.5", "column 9: \"1.5\" is not an integer", ""},
        Case{"score:nan", "column 7: \"nan\" is not a number", ""},
        Case{"score:1e999", "column 7: \"1e999\" is not a number", ""},
        Case{"done:yes", "column 6: \"yes\" is not true or false", ""},
        Case{"done > true", "column 8: \"done\" is true or false and has no order", "done:true"},
        Case{"title > a", "column 9: \"title\" is a text and has no order", "title:word"},
        Case{"views:5*", "column 7: only keywords and texts", "leave the * out"},
        Case{"title > pre*", "column 9: \"title\" is a text and has no order", ""},
        Case{"title:foo-ba*", "column 7: \"foo-ba*\" is no beginning or part of one word", "apart"},
        Case{"a *-*", "column 1: \"*-*\" is no beginning or part of one word", ""},
        Case{"a *", "column 1: a * by itself among words", "write it alone"},
        Case{"state:*1*2*3*4*5*6*7*8*", "column 7: more than 8 *", ""},
        Case{"title:*Σ*Σ*Σ*Σ*", "column 7: too many capital sigmas beside a *", "σ or ς"},
        Case{"state > a*", "column 9: a * cannot be compared", ""},
        Case{"created_at > 2026-13-01", "column 14: \"2026-13-01\" is not a time", "2026-11-01"},
        Case{"created_at:yesterday", "column 12: \"yesterday\" is not a time", "milliseconds"},
        Case{R"(state:"a\u0000b")", "column 7: no value of \"state\" has a NUL", ""},
        Case{R"(state:x or state:*a\u0000b*)", "column 18: no value of \"state\" has a NUL", ""},
        Case{R"(state >= \u0000)", "column 10: no value of \"state\" has a NUL", ""},
        Case{R"(labels.a:(b or c\u0000))", "column 16: no value of \"labels.a\" has a NUL", ""},
        Case{R"(labels.a\u0000:*)", "column 1: unknown field", ""},
        Case{"state:(a or views:5)", "column 13: a field among the values of \"state\"", "close"}));

INSTANTIATE_TEST_SUITE_P(
    Syntax, QueryErrors,
    testing::Values(
        Case{"\"abc", "column 1: this quote is never closed", "closing"},
        Case{"state:\"abc\\\"", "column 7: this quote is never closed", ""},
        Case{"(state:a", "column 1: this \"(\" is never closed", ""},
        Case{"a and (b or (c)", "column 7: this \"(\" is never closed", ""},
        Case{"state:a)", "column 8: this \")\" closes nothing", ""},
        Case{"state:(a or b", "column 7: this \"(\" is never closed", ""},
        Case{"state:a and", "column 12: expected something to look for after \"and\"", ""},
        Case{"state:a and or b",
             "column 13: expected something to look for after \"and\", not \"or\"", "quotes"},
        Case{"or a", "column 1: expected something to look for, not \"or\"", ""},
        Case{"()", "column 2: expected something to look for after \"(\"", ""},
        Case{"not", "column 4: expected something to look for after \"not\"", ""},
        Case{":x", "column 1: expected something to look for, not \":\"", ""},
        Case{"state:", "column 7: expected a value for \"state\"", "quotes"},
        Case{"state:and", "column 7: expected a value for \"state\"", "quotes"},
        Case{"views:>5", "column 7: two comparisons in a row", "views >= value"},
        Case{"refused state:a", "column 9: expected \"and\", \"or\" or the end, not \"state\"",
             "write \"and\""},
        Case{"\"a\" b", "column 5: expected \"and\"", ""},
        Case{"state:\"a\" state:b", "column 11: expected \"and\"", ""},
        Case{"a {b", "column 3: braces have no meaning", "quotes"},
        Case{"state:a\\b", "column 8: a backslash before an ordinary character", "\\\\"},
        Case{"a\\", "column 2: a backslash before", ""},
        Case{"a \xFF", "the query is not valid UTF-8", ""}));

TEST(QueryErrors, FreeTextNeedsATextField) {
  const Kind kind{.name = "tag", .fields = {{.name = "name", .searchable = true}}};
  const auto query = ParseQuery("word", kind, 0);
  ASSERT_FALSE(query);
  EXPECT_THAT(query.error().message(), testing::StartsWith("column 1: tag has no text to search"));
}

TEST(QueryErrors, BoundsAndBeginningsOfKeywordsAreBounded) {
  const std::string value(900, 'x');
  for (const std::string before : {"state:", "state >= ", "labels.t < "}) {
    const std::string behind = before == "state:" ? "*" : "";
    const auto with = [&](const std::string& text) {
      return ParseQuery(std::string(before).append(text).append(behind), QueryKind(), 0);
    };
    const auto query = with(value + "x");
    ASSERT_FALSE(query) << before;
    EXPECT_THAT(query.error().message(), testing::HasSubstr("is longer than 900 bytes"));
    EXPECT_THAT(query.error().message(), testing::StartsWith("column "));
    EXPECT_TRUE(with(value.substr(2))) << before;
  }
  EXPECT_TRUE(ParseQuery("state:" + value + "x", QueryKind(), 0));
}

TEST(QueryErrors, APatternIsBoundedUnlessItIsABeginning) {
  const std::string value(kPatternBytesMax, 'x');
  EXPECT_TRUE(ParseQuery("state:*" + value, QueryKind(), 0));
  EXPECT_TRUE(ParseQuery("state:" + value + "x*", QueryKind(), 0));
  const auto query = ParseQuery("state:*x" + value, QueryKind(), 0);
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().message(), "column 7: a value with * is longer than 256 bytes");
}

std::string Repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

// Limits wide open, so that only the parser itself can stop them.
TEST(QueryErrors, HostileInputIsAnsweredWithoutOverflow) {
  const QueryLimits wide{.bytes_max = 4u << 20};
  const auto refused = [&](const std::string& text) {
    const auto query = ParseQuery(text, QueryKind(), 0, wide);
    EXPECT_FALSE(query) << text.substr(0, 20);
    return query ? std::string() : query.error().message();
  };
  EXPECT_THAT(refused(Repeated("(", 5000)),
              testing::StartsWith("column 13: nested deeper than 12"));
  EXPECT_THAT(refused(Repeated("not ", 5000)), testing::HasSubstr("nested deeper"));
  EXPECT_THAT(refused("state:" + Repeated("(", 5000)), testing::HasSubstr("nested deeper"));
  EXPECT_THAT(refused(Repeated("state:a or ", 20'000) + "state:a"),
              testing::HasSubstr("more than 256 clauses"));
  EXPECT_THAT(refused(Repeated("word ", 20'000)), testing::HasSubstr("more than 256 clauses"));
  EXPECT_THAT(refused("state:(" + Repeated("a and ", 20'000) + "a)"),
              testing::HasSubstr("more than 256"));
  EXPECT_THAT(refused("state:" + Repeated("*a", 50'000)), testing::HasSubstr("more than 8 *"));
  EXPECT_THAT(refused(Repeated("*a ", 5000)), testing::HasSubstr("more than 256 clauses"));
  EXPECT_THAT(refused("state:(" + Repeated("a* or ", 100) + "a*)"),
              testing::StartsWith("column 200: more than 256 clauses"));
  EXPECT_THAT(refused(std::string(100'000, '"')), testing::HasSubstr("expected \"and\""));
  EXPECT_THAT(refused(std::string(100'000, 'x') + ":a"), testing::HasSubstr("unknown field"));
  EXPECT_THAT(refused(std::string(100'000, ')')), testing::HasSubstr("expected something"));
}

TEST(QueryErrors, TooLongIsSaidBeforeAnythingIsRead) {
  const auto query = ParseQuery(std::string(100'000, '('), QueryKind(), 0);
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().message(), "the query is longer than 8192 bytes");
}

}  // namespace
}  // namespace a4c
