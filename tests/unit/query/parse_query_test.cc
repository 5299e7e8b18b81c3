#include <gtest/gtest.h>

#include <random>

#include "a4c/query.h"
#include "tests/unit/query/query_kind.h"

namespace a4c {
namespace {

std::string Parsed(std::string_view text) {
  const auto query = ParseQuery(text, QueryKind(), 0);
  return query ? Show(*query) : query.error().ToString();
}

struct Case {
  const char* text;
  const char* tree;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.text;
}

class ParseQueryTo : public testing::TestWithParam<Case> {};

TEST_P(ParseQueryTo, Tree) {
  EXPECT_EQ(Parsed(GetParam().text), GetParam().tree);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, ParseQueryTo,
    testing::Values(Case{"", "all"}, Case{"  \t ", "all"}, Case{"*", "all"},
                    Case{"state:failed", "state='failed'"},
                    Case{"state : failed", "state='failed'"}, Case{"state:\"a b\"", "state='a b'"},
                    Case{"state:a b", "state='a b'"},
                    Case{"kind:image.build", "kind='image.build'"}, Case{"state:f*", "state^'f'"},
                    Case{"state:*", "exists(state)"}, Case{"state:\"f*\"", "state='f*'"},
                    Case{"labels:*", "exists(labels)"},
                    Case{"labels.team:infra", "labels.team='infra'"},
                    Case{"labels.team:*", "exists(labels.team)"},
                    Case{"labels.app.kubernetes:x*", "labels.app.kubernetes^'x'"},
                    Case{"done:true", "done=true"}, Case{"views:-5", "views=-5"},
                    Case{"views:\"5\"", "views=5"}, Case{"score:1.5e3", "score=1500.000000"},
                    Case{"title:Connection refused", "title:words(connection|refused)"},
                    Case{"title:\"Connection refused\"", "title:phrase(connection refused)"},
                    Case{"title:*", "exists(title)"}, Case{"title:--", "title:words()"}));

INSTANTIATE_TEST_SUITE_P(
    Operators, ParseQueryTo,
    testing::Values(
        Case{"state:a and state:b or state:c", "or(and(state='a', state='b'), state='c')"},
        Case{"state:a or state:b and state:c", "or(state='a', and(state='b', state='c'))"},
        Case{"(state:a or state:b) and state:c", "and(or(state='a', state='b'), state='c')"},
        Case{"NOT state:a AND Not state:b", "and(not(state='a'), not(state='b'))"},
        Case{"not not state:a", "not(not(state='a'))"}, Case{"((state:a))", "state='a'"},
        Case{"state:(a or b)", "or(state='a', state='b')"},
        Case{"state:(a or b and not c*)", "or(state='a', and(state='b', not(state^'c')))"},
        Case{"state:((a))", "state='a'"},
        Case{"not state:(a or b)", "not(or(state='a', state='b'))"},
        Case{"labels.team:(infra or \"web one\")",
             "or(labels.team='infra', labels.team='web one')"},
        Case{"state:failed and (labels.team:infra or labels.team:web) and not kind:image.build and "
             "\"connection refused\"",
             "and(state='failed', or(labels.team='infra', labels.team='web'), "
             "not(kind='image.build'), phrase(connection refused))"}));

INSTANTIATE_TEST_SUITE_P(
    FreeText, ParseQueryTo,
    testing::Values(Case{"refused", "words(refused)"},
                    Case{"Connection refused", "words(connection|refused)"},
                    Case{"\"Connection refused\"", "phrase(connection refused)"},
                    Case{"foo-bar", "words(foo|bar)"}, Case{"a and b", "and(words(a), words(b))"},
                    Case{"android notes order", "words(android|notes|order)"},
                    Case{"wait \\and see", "words(wait|and|see)"}));

INSTANTIATE_TEST_SUITE_P(
    Patterns, ParseQueryTo,
    testing::Values(Case{"state:*a", "state~*a"}, Case{"state:a*b", "state~a*b"},
                    Case{"state:*a*", "state~*a*"}, Case{"state:a**", "state^'a'"},
                    Case{"state:**", "exists(state)"}, Case{"state:a b* c", "state~a b* c"},
                    Case{"state:a* b*", "state~a* b*"}, Case{R"(state:a\*b)", "state='a*b'"},
                    Case{R"(state:a\**)", "state^'a*'"}, Case{"state:\"*a*\"", "state='*a*'"},
                    Case{"state:(a* or *b)", "or(state^'a', state~*b)"},
                    Case{"labels.team:*x", "labels.team~*x"}, Case{"title:pre*", "title^'pre'"},
                    Case{"title:Pre*", "title^'Pre'"}, Case{"title:*mid*", "title~*mid*"},
                    Case{"title:a pre* b", "or(title:words(a|b), title^'pre')"},
                    Case{"title:10.*", "title^'10.'"}, Case{"con*", "^'con'"},
                    Case{"a con*", "or(words(a), ^'con')"}, Case{"*a *b", "or(~*a, ~*b)"},
                    Case{"not con*", "not(^'con')"}, Case{"android*", "^'android'"},
                    Case{"or*", "^'or'"}));

INSTANTIATE_TEST_SUITE_P(Escapes, ParseQueryTo,
                         testing::Values(Case{R"(state:a\:b)", "state='a:b'"},
                                         Case{R"(state:\or)", "state='or'"},
                                         Case{R"(state:\NOT)", "state='NOT'"},
                                         Case{R"(state:\(x\)\*)", "state='(x)*'"},
                                         Case{R"(state:\u00e9t\u00E9)", "state='été'"},
                                         Case{R"(state:"a\"b\\c")", "state='a\"b\\c'"},
                                         Case{R"(state:"C:\dir")", "state='C:\\dir'"},
                                         Case{R"(state:"a\tb")", "state='a\tb'"},
                                         Case{R"(labels.a\:b:c)", "labels.a:b='c'"},
                                         Case{"state:\"and\"", "state='and'"}));

INSTANTIATE_TEST_SUITE_P(
    Ranges, ParseQueryTo,
    testing::Values(Case{"views > 5", "views(5,)"}, Case{"views>=5", "views[5,)"},
                    Case{"views<5", "views(,5)"}, Case{"views <= 5", "views(,5]"},
                    Case{"score > -0.5", "score(-0.500000,)"}, Case{"state >= m", "state['m',)"},
                    Case{"labels.v < \"2\"", "labels.v(,'2')"},
                    Case{"created_at >= 2026-11-01", "created_at[1793491200000,)"},
                    Case{"created_at > 2026-11-01", "created_at[1793577600000,)"},
                    Case{"created_at <= \"2026-11-01\"", "created_at[,1793577600000)"},
                    Case{"created_at < 2026-11-01", "created_at[,1793491200000)"},
                    Case{"created_at:2026-11-01", "created_at[1793491200000,1793577600000)"},
                    Case{"created_at:2026-11-01T10:00:00Z",
                         "created_at[1793527200000,1793527201000)"},
                    Case{"created_at >= 2026-11-01T10:00:00+02:00", "created_at[1793520000000,)"},
                    Case{"created_at:1793491200000", "created_at=1793491200000"},
                    Case{"created_at > 1793491200000", "created_at(1793491200000,)"}));

TEST(ParseQuery, TimesExpandToWholePeriodsWhoseBoundsAreHalfOpen) {
  const auto query = ParseQuery("created_at > 2026-11-01", QueryKind(), 0);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->lower, Scalar(int64_t{1793577600000}));
  EXPECT_TRUE(query->lower_inclusive);
}

TEST(ParseQuery, LimitsHoldExactly) {
  const auto ok = [](const std::string& text, QueryLimits limits) {
    return ParseQuery(text, QueryKind(), 0, limits).has_value();
  };
  EXPECT_TRUE(ok("a or b or c", {.clauses_max = 3}));
  EXPECT_FALSE(ok("a or b or c or d", {.clauses_max = 3}));
  EXPECT_TRUE(ok("a b c", {.clauses_max = 3}));
  EXPECT_FALSE(ok("a b c d", {.clauses_max = 3}));
  EXPECT_TRUE(ok("a con* and state:*x", {.clauses_max = 10}));
  EXPECT_FALSE(ok("a con* and state:*x", {.clauses_max = 9}));
  for (const std::string any : {"c*", "state:c*", "labels.team:c*", "state:\u00e9*"}) {
    EXPECT_TRUE(ok(any, {.clauses_max = 8})) << any;
    EXPECT_FALSE(ok(any, {.clauses_max = 7})) << any;
  }
  EXPECT_TRUE(ok("state:(co* or con*)", {.clauses_max = 5}));
  EXPECT_FALSE(ok("state:(co* or con*)", {.clauses_max = 4}));
  EXPECT_TRUE(ok("((a))", {.depth_max = 2}));
  EXPECT_FALSE(ok("(((a)))", {.depth_max = 2}));
  EXPECT_TRUE(ok("not not a", {.depth_max = 2}));
  EXPECT_FALSE(ok("not not not a", {.depth_max = 2}));
  EXPECT_FALSE(ok("not (state:(a))", {.depth_max = 2}));
  EXPECT_TRUE(ok("abcd", {.bytes_max = 4}));
  EXPECT_FALSE(ok("abcde", {.bytes_max = 4}));
}

TEST(ParseQuery, AnyTextIsAnsweredAndTheSameTwice) {
  static constexpr const char* kPieces[] = {
      "state", ":",          "labels.team", "(",      ")",        "\"",   "and",
      "or",    "not",        "*",           " ",      "\\",       ">=",   "<",
      "title", "created_at", "2026-11-01",  "T10:00", "\xC3\xA9", "\xFF", "{",
      "views", "5",          "u00e9",       "-1",     "true",     "done"};
  for (uint32_t seed = 1; seed <= 5000; ++seed) {
    std::mt19937 random(seed);
    std::string text;
    for (uint32_t n = random() % 24; n > 0; --n) {
      text += kPieces[random() % std::size(kPieces)];
      if (random() % 2 == 0) text += ' ';
    }
    const auto query = ParseQuery(text, QueryKind(), 0);
    ASSERT_EQ(Parsed(text), Parsed(text)) << "seed " << seed;
    ASSERT_TRUE(query || query.error().code() == Code::kInvalid) << "seed " << seed << ": " << text;
  }
}

}  // namespace
}  // namespace a4c
