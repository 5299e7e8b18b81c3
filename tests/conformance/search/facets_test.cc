// Facets: the ten most frequent values of what was found, by count, then value.
#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

class SearchIndexFacets : public SearchIndexTest {
 protected:
  using Counts = std::vector<std::pair<Scalar, int64_t>>;

  std::vector<Counts> Facets(std::string_view text, std::vector<std::string> facets) {
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
      Facets("*", {"state", "tags", "done"}),
      (std::vector<Counts>{{{"x", 2}, {"y", 1}}, {{"q", 2}, {"p", 1}}, {{true, 2}, {false, 1}}}));
  EXPECT_EQ(Facets("done:true", {"state"}), (std::vector<Counts>{{{"x", 1}, {"y", 1}}}));
  EXPECT_EQ(Facets("views:1", {"state", "done"}), (std::vector<Counts>{{}, {}}));
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
  EXPECT_EQ(Facets("*", {"state"}), std::vector<Counts>{expected});
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
  const auto facets = Facets("*", {"state", "tags"});
  ASSERT_EQ(facets.at(0).size(), 10u);
  EXPECT_EQ(facets[0][0], (std::pair<Scalar, int64_t>("zz often", 3)));
  EXPECT_EQ(facets[0][1], (std::pair<Scalar, int64_t>("u0", 1)));
  EXPECT_EQ(facets.at(1).at(0), (std::pair<Scalar, int64_t>("t0", 14)));
}

}  // namespace
}  // namespace a4c::conformance
