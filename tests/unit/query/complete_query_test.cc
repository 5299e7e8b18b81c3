#include <gtest/gtest.h>

#include "a4c/completion.h"
#include "tests/unit/query/query_kind.h"

namespace a4c {
namespace {

// "state: kind:" or "state=fai*20" for what is asked of the index; | is the cursor.
std::string Completed(std::string_view text) {
  const size_t cursor = text.find('|');
  const std::string query =
      std::string(text.substr(0, cursor)) + std::string(text.substr(cursor + 1));
  const QueryCompletion completion = CompleteQuery(query, cursor, QueryKind());
  std::string shown;
  const auto add = [&](const std::string& word) { shown += (shown.empty() ? "" : ";") + word; };
  for (const Suggestion& suggestion : completion.suggestions) add(suggestion.text);
  if (completion.values) {
    add("?" + completion.values->field + "=" + completion.values->prefix + "*" +
        (completion.label_names ? " names" : ""));
  }
  EXPECT_EQ(completion.offset + completion.size, cursor) << text;
  return shown;
}

TEST(CompleteQuery, WhereAConditionBeginsAreFields) {
  const std::string all = "state:;kind:;title:;error:;views:;score:;done:;created_at:;labels.;not ";
  EXPECT_EQ(Completed("|"), all);
  EXPECT_EQ(Completed("state:a and |"), all);
  EXPECT_EQ(Completed("state:a and (|"), all);
  EXPECT_EQ(Completed("not |"), all);
  EXPECT_EQ(Completed("s|"), "state:;score:");
  EXPECT_EQ(Completed("STA|"), "state:");
  EXPECT_EQ(Completed("s|tate:a"), "state:;score:");
  EXPECT_EQ(Completed("state:a or sc|"), "score:");
  EXPECT_EQ(Completed("n|"), "not ");
  EXPECT_EQ(Completed("se|"), "");
  EXPECT_EQ(Completed("views|"), "views:;views > ;views >= ;views < ;views <= ");
  EXPECT_EQ(Completed("\"sta|"), "");
}

TEST(CompleteQuery, NamesOfLabelsAreAskedOfTheIndex) {
  EXPECT_EQ(Completed("lab|"), "labels.");
  EXPECT_EQ(Completed("labels.|"), "?labels=* names");
  EXPECT_EQ(Completed("not labels.te|"), "?labels=te* names");
  EXPECT_EQ(Completed("state.te|"), "");
}

TEST(CompleteQuery, NamesOfLabelsAreAskedForAsTheyAreIndexed) {
  EXPECT_EQ(Completed("labels.a=|"), R"(?labels=a\=* names)");
  EXPECT_EQ(Completed(R"(labels.a\\b|)"), R"(?labels=a\\b* names)");
  EXPECT_EQ(Completed(R"(labels.x\:y|)"), "?labels=x:y* names");
}

TEST(CompleteQuery, BehindAFieldAreItsValues) {
  EXPECT_EQ(Completed("state:|"), "?state=*");
  EXPECT_EQ(Completed("state:fai|"), "?state=fai*");
  EXPECT_EQ(Completed("state : fai|"), "?state=fai*");
  EXPECT_EQ(Completed("state >= fai|"), "?state=fai*");
  EXPECT_EQ(Completed("labels.team:in|"), "?labels.team=in*");
  EXPECT_EQ(Completed("state:\"two wo|"), "?state=two wo*");
  EXPECT_EQ(Completed("done:|"), "true;false");
  EXPECT_EQ(Completed("done:t|"), "true");
  EXPECT_EQ(Completed("created_at >= now-|"), "now-1h;now-1d");
  EXPECT_EQ(Completed("title:|"), "");
  EXPECT_EQ(Completed("views > |"), "");
  EXPECT_EQ(Completed("secret:|"), "");
  EXPECT_EQ(Completed("nothing:|"), "");
  EXPECT_EQ(Completed("state:fa*|"), "");
}

TEST(CompleteQuery, TheIndexIsAskedOnlyForWhatItCounts) {
  const auto asks = [](const std::string& query) {
    const QueryCompletion completion = CompleteQuery(query, query.size(), QueryKind());
    EXPECT_TRUE(completion.values || !completion.label_names) << query;
    return completion.values.has_value();
  };
  const std::string text(kFacetPrefixBytesMax, 'x');
  EXPECT_TRUE(asks("state:" + text));
  EXPECT_FALSE(asks("state:" + text + "x"));
  EXPECT_FALSE(asks("state:\"" + text + "x"));
  EXPECT_TRUE(asks("labels." + text));
  EXPECT_FALSE(asks("labels." + text + "x"));
  EXPECT_FALSE(asks(R"(state:"\u0000)"));
  EXPECT_FALSE(asks(R"(labels.\u0000)"));
  EXPECT_TRUE(asks("labels.team:" + text.substr(5)));  // the label's name counts, "team="
  EXPECT_FALSE(asks("labels.team:" + text.substr(4)));
}

TEST(CompleteQuery, InAListOfValuesAreTheFieldsOwn) {
  EXPECT_EQ(Completed("state:(|"), "not ;?state=*");
  EXPECT_EQ(Completed("state:(a or f|"), "?state=f*");
  EXPECT_EQ(Completed("state:(a or not (b or |"), "not ;?state=*");
  EXPECT_EQ(Completed("state:(a |"), "and ;or ");
  EXPECT_EQ(Completed("state:(a) |"), "and ;or ");
  EXPECT_EQ(Completed("state:(a) and k|"), "kind:");
}

TEST(CompleteQuery, BehindAConditionAreOperators) {
  EXPECT_EQ(Completed("state:a |"), "and ;or ");
  EXPECT_EQ(Completed("state:a a|"), "and ");
  EXPECT_EQ(Completed("state:a and|"), "and ");
  EXPECT_EQ(Completed("refused |"), "and ;or ");
  EXPECT_EQ(Completed("(state:a)|"), " and ; or ");
  EXPECT_EQ(Completed("state:\"a\"|"), " and ; or ");
}

TEST(CompleteQuery, WhatCannotBeReadHasNoSuggestions) {
  for (const char* text : {"state:a) |", "a { |", "a \\|", "state:a and :|", "\xFF |"}) {
    EXPECT_EQ(Completed(text), "") << text;
  }
  EXPECT_EQ(Completed(std::string(10'000, ' ') + "|"), "");
  EXPECT_TRUE(CompleteQuery("state:", 100, QueryKind()).values);
}

std::vector<std::string> WithValues(const std::string& query, std::vector<FacetValue> values,
                                    size_t max = 20) {
  QueryCompletion completion = CompleteQuery(query, query.size(), QueryKind());
  completion.suggestions.clear();
  AddValues(completion, values, max);
  std::vector<std::string> texts;
  for (const Suggestion& suggestion : completion.suggestions) texts.push_back(suggestion.text);
  return texts;
}

using Texts = std::vector<std::string>;

TEST(CompleteQuery, ValuesAreWrittenAsTheLanguageReadsThem) {
  EXPECT_EQ(WithValues("state:",
                       {{"failed", 2}, {"a b", 1}, {"x:y", 1}, {"or", 1}, {"", 1}, {"a\"\\", 1}}),
            (Texts{"failed", "\"a b\"", "\"x:y\"", "\"or\"", "\"\"", R"("a\"\\")"}));
  EXPECT_EQ(WithValues("state:\"f", {{"failed", 2}}), (Texts{"\"failed\""}));
  EXPECT_EQ(WithValues("state:", {{"a", 2}, {"b", 1}, {"c", 1}}, 2), (Texts{"a", "b"}));
}

TEST(CompleteQuery, NamesOfLabelsComeOnceEach) {
  EXPECT_EQ(
      WithValues("labels.", {{"team=infra", 3}, {"team=web", 2}, {R"(a\=b=c)", 1}, {"x y:z=1", 1}}),
      (Texts{"labels.team:", "labels.a=b:", R"(labels.x\u0020y\:z:)"}));
}

TEST(CompleteQuery, EveryValueReadsBackAsItself) {
  for (const std::string value :
       {"plain", "two words", "a\"b", "C:\\dir", "(x)", "and", "NOT", "", "*", "a*", "now-1h",
        "tab\there", "\u00e9", "{", "\\u00e9", "\\"}) {
    const auto query = ParseQuery("state:" + QuotedIfNeeded(value), QueryKind(), 0);
    ASSERT_TRUE(query) << value << ": " << query.error().ToString();
    EXPECT_EQ(Show(*query), "state='" + value + "'");
  }
}

}  // namespace
}  // namespace a4c
