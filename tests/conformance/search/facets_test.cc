// Facets: the ten most frequent values of what was found, by count, then value.
#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

class SearchIndexFacets : public SearchIndexTest {
 protected:
  using Counts = std::vector<std::pair<Scalar, int64_t>>;

  std::vector<Counts> Facets(std::string_view text, std::vector<FacetKey> facets) {
    SearchRequest request = Request(text);
    request.facets = std::move(facets);
    request.limit = 1;
    std::vector<Counts> all;
    for (const auto& values : Search(request).facets) {
      Counts counts;
      for (const FacetValue& value : values) counts.emplace_back(value.value, value.count);
      all.push_back(counts);
    }
    return all;
  }
};

TEST_F(SearchIndexFacets, CountWhatWasFoundNotThePage) {
  Add({Doc("a", 1, R"({"state":"x","tags":["p","q","p"],"done":true})"),
       Doc("b", 1, R"({"state":"y","tags":"q","done":true})"),
       Doc("c", 1, R"({"state":"x","done":false})"), Doc("d", 1, R"({"views":1,"tags":[]})"),
       Tombstone("e", 1)});
  EXPECT_EQ(
      Facets("*", {{"state"}, {"tags"}, {"done"}}),
      (std::vector<Counts>{{{"x", 2}, {"y", 1}}, {{"q", 2}, {"p", 1}}, {{true, 2}, {false, 1}}}));
  EXPECT_EQ(Facets("done:true", {{"state"}}), (std::vector<Counts>{{{"x", 1}, {"y", 1}}}));
  EXPECT_EQ(Facets("views:1", {{"state"}, {"done"}}), (std::vector<Counts>{{}, {}}));
  EXPECT_EQ(Facets("*", {}), std::vector<Counts>{});
}

TEST_F(SearchIndexFacets, AreTheTenMostFrequentTiesByValue) {
  std::vector<Document> documents;
  int id = 0;
  for (int value = 0; value < 30; ++value) {
    for (int times = value % 5; times >= 0; --times) {
      documents.push_back(
          Doc(std::to_string(++id), 1, R"({"state":"v)" + std::to_string(100 + value) + "\"}"));
    }
  }
  Add(documents);
  Counts expected;
  for (const int value : {4, 9, 14, 19, 24, 29})
    expected.emplace_back("v" + std::to_string(100 + value), 5);
  for (const int value : {3, 8, 13, 18})
    expected.emplace_back("v" + std::to_string(100 + value), 4);
  EXPECT_EQ(Facets("*", {{"state"}}), std::vector<Counts>{expected});
  expected.resize(3);
  EXPECT_EQ(Facets("*", {{"state", "", 3}}), std::vector<Counts>{expected});
  EXPECT_EQ(Facets("*", {{"state", "", 1000}}).at(0).size(), 30u);
}

TEST_F(SearchIndexFacets, OfLabelsCountTheValuesOfOneOrTheEntriesOfAll) {
  Add({Doc("a", 1, R"({"labels":{"team":"infra","te":"am=x","a=b":"c"}})"),
       Doc("b", 1, R"({"labels":{"team":"infra","tier":"1"}})"),
       Doc("c", 1, R"({"labels":{"team":"web","teams":"no"}})"), Doc("d", 1, R"({"labels":{}})")});
  EXPECT_EQ(Facets("*", {{"labels.team"}, {"labels.te"}, {"labels.a=b"}, {"labels.none"}}),
            (std::vector<Counts>{{{"infra", 2}, {"web", 1}}, {{"am=x", 1}}, {{"c", 1}}, {}}));
  EXPECT_EQ(
      Facets("*", {{"labels", "te"}}),
      (std::vector<Counts>{{{"team=infra", 2}, {"te=am=x", 1}, {"team=web", 1}, {"teams=no", 1}}}));
}

TEST_F(SearchIndexFacets, OfAPrefixCountOnlyValuesThatStartSo) {
  Add({Doc("a", 1, R"({"state":"a.b","tags":["x*","x","y"],"labels":{"team":"infra"}})"),
       Doc("b", 1, R"({"state":"aXb","tags":["x*","(x|y"],"labels":{"team":"inbox"}})"),
       Doc("c", 1, R"({"state":"a","tags":["X","x\ny"],"labels":{"team":"web"}})"),
       Doc("d", 1, R"({"state":"\"#@&<>~\\end","tags":"\u00e9t\u00e9"})")});
  EXPECT_EQ(Facets("*", {{"state", "a."}, {"state", "a"}, {"state", "\"#@&<>~\\"}}),
            (std::vector<Counts>{
                {{"a.b", 1}}, {{"a", 1}, {"a.b", 1}, {"aXb", 1}}, {{"\"#@&<>~\\end", 1}}}));
  EXPECT_EQ(
      Facets("*", {{"tags", "x"}, {"tags", "x*"}, {"tags", "("}, {"tags", "\u00e9"}}),
      (std::vector<Counts>{
          {{"x*", 2}, {"x", 1}, {"x\ny", 1}}, {{"x*", 2}}, {{"(x|y", 1}}, {{"\u00e9t\u00e9", 1}}}));
  EXPECT_EQ(
      Facets("*", {{"labels.team", "in"}, {"labels", "team=i"}}),
      (std::vector<Counts>{{{"inbox", 1}, {"infra", 1}}, {{"team=inbox", 1}, {"team=infra", 1}}}));
}

TEST_F(SearchIndexFacets, OfManyDistinctValuesStayExact) {
  std::vector<Document> documents;
  for (int i = 0; i < 2000; ++i) {
    documents.push_back(Doc(std::to_string(i), 1,
                            R"({"state":"u)" + std::to_string(i) + R"(","tags":["t)" +
                                std::to_string(i % 150) + "\"]}"));
  }
  for (int i = 0; i < 3; ++i)
    documents.push_back(Doc("z" + std::to_string(i), 1, R"({"state":"zz often"})"));
  Add(documents);
  const auto facets = Facets("*", {{"state"}, {"tags"}});
  ASSERT_EQ(facets.at(0).size(), 10u);
  EXPECT_EQ(facets[0][0], (std::pair<Scalar, int64_t>("zz often", 3)));
  EXPECT_EQ(facets[0][1], (std::pair<Scalar, int64_t>("u0", 1)));
  EXPECT_EQ(facets.at(1).at(0), (std::pair<Scalar, int64_t>("t0", 14)));
}

}  // namespace
}  // namespace a4c::conformance
