// Random kinds, documents and searches against NaiveSearch: the same ids, order, totals, pages and
// facets, of documents that have been written before. A failure says how to run it again: --seed
// names the first group of a hundred cases,
// --count how many cases are tried.
#include "tests/conformance/run.h"
#include "tests/conformance/search/naive_search.h"
#include "tests/conformance/search/random_search.h"
#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

constexpr int kDocuments = 60;
constexpr int kGone = 20;
constexpr int kCasesPerGroup = 100;
constexpr int64_t kNowMs = 1793700000000;  // 2026-11-03, among the documents' times

std::string Shown(const std::vector<FacetValue>& values) {
  std::string shown;
  for (const FacetValue& value : values) {
    const auto* text = std::get_if<std::string>(&value.value);
    const auto* flag = std::get_if<bool>(&value.value);
    shown += (text != nullptr ? *text : flag != nullptr && *flag ? "true" : "false");
    shown += " " + std::to_string(value.count) + "; ";
  }
  return shown;
}

// A kind of its own with documents, known to the index and to the naive reading.
class Group {
 public:
  Group(SearchIndex& index, uint32_t seed, std::string scope)
      : index_(index),
        random_(seed, Unique("doc")),
        naive_(random_.kind()),
        scope_(std::move(scope)) {}

  void Fill() {
    const auto ensured = index_.Ensure(conformance::Within(), {&random_.kind(), 1});
    ASSERT_TRUE(ensured) << ensured.error().ToString();
    std::vector<Document> documents;
    for (int i = 0; i < kDocuments; ++i) {
      const std::string id = random_.Id(i);
      documents.push_back(DocumentOf(id, 2, random_.Body()));
      naive_.Add(id, documents.back().body);
      bodies_[id] = documents.back().body;
    }
    IndexWhatWasBefore(documents);
    for (int i = 0; i < kGone; ++i) {
      documents.push_back(DocumentOf(GoneId(i), 2, "{}"));
      documents.back().tombstone = true;
    }
    Index(documents);
  }

  // Whether the query says something: it can be parsed, and finds some and not all.
  bool Compare() {
    const std::string text = random_.QueryText(3);
    const auto query = ParseQuery(text, random_.kind(), kNowMs);
    if (!query) return false;
    SearchRequest request{.kind = random_.kind(), .scope = scope_, .query = *query};
    request.sort = random_.Sort();
    request.facets = random_.Facets();
    request.limit = random_.Chance(70) ? 1000 : 7 + static_cast<int>(random_.Below(60));
    SCOPED_TRACE("query " + text + ", sorted by " + SortText(request.sort));
    return CompareAnswers(request);
  }

 private:
  Document DocumentOf(const std::string& id, int64_t rev, std::string body) const {
    return {.ref = {random_.kind().name, {scope_, id}}, .rev = rev, .body = std::move(body)};
  }
  static std::string GoneId(int i) { return "gone-" + std::to_string(i); }

  // Every document had the body of another one, and there were more of them: nothing of that may be
  // found any more.
  void IndexWhatWasBefore(const std::vector<Document>& documents) {
    std::vector<Document> before;
    for (size_t i = 0; i < documents.size(); ++i) {
      const std::string& other = documents[(i + 1) % documents.size()].body;
      before.push_back(DocumentOf(documents[i].ref.key.id, 1, other));
    }
    for (int i = 0; i < kGone; ++i) {
      before.push_back(DocumentOf(GoneId(i), 1, documents[static_cast<size_t>(i)].body));
    }
    Index(before);
  }

  void Index(std::span<const Document> documents) {
    const auto results = index_.Bulk(conformance::Within(), documents);
    ASSERT_TRUE(results) << results.error().ToString();
    for (size_t i = 0; i < documents.size(); ++i) {
      ASSERT_EQ((*results)[i].outcome, BulkOutcome::kApplied)
          << documents[i].body << ((*results)[i].error ? (*results)[i].error->ToString() : "");
    }
    const auto refreshed = index_.Refresh(conformance::Within(), random_.kind().name);
    ASSERT_TRUE(refreshed) << refreshed.error().ToString();
  }

  static std::string SortText(const std::vector<SortKey>& sort) {
    std::string text;
    for (const SortKey& key : sort) text += (key.descending ? "-" : "+") + key.field + " ";
    return text + "id";
  }

  bool CompareAnswers(SearchRequest request) {
    const NaiveSearch::Answer expected = naive_.Search(request);
    std::vector<std::string> ids;
    do {
      const auto page = index_.Search(conformance::Within(), request);
      EXPECT_TRUE(page) << page.error().ToString();
      if (!page) return true;
      EXPECT_EQ(page->total, static_cast<int64_t>(expected.ids.size()));
      CompareFacets(request, expected, *page);
      for (const Hit& hit : page->hits) {
        ids.push_back(hit.ref.key.id);
        EXPECT_EQ(hit.body, bodies_[hit.ref.key.id]);
      }
      request.after = page->next;
    } while (!request.after.empty() && ids.size() < bodies_.size());
    EXPECT_EQ(ids, expected.ids) << FirstDifference(ids, expected.ids);
    return !ids.empty() && ids.size() < bodies_.size();
  }

  static void CompareFacets(const SearchRequest& request, const NaiveSearch::Answer& expected,
                            const SearchAnswer& page) {
    ASSERT_EQ(page.facets.size(), request.facets.size());
    for (size_t i = 0; i < request.facets.size(); ++i) {
      EXPECT_EQ(Shown(page.facets[i]), Shown(expected.facets[i]))
          << request.facets[i].field << " by \"" << request.facets[i].prefix << "\"";
    }
  }

  std::string FirstDifference(const std::vector<std::string>& got,
                              const std::vector<std::string>& wanted) {
    const auto [a, b] = std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end());
    return (a == got.end() ? "" : "answered " + bodies_[*a]) +
           (b == wanted.end() ? "" : "\nwanted " + bodies_[*b]);
  }

  SearchIndex& index_;
  RandomSearch random_;
  NaiveSearch naive_;
  const std::string scope_;
  std::map<std::string, std::string> bodies_;
};

TEST(SearchIndexDifferential, AnswersAsANaiveReadingDoes) {
  const auto index = Make<SearchIndex>();
  int cases = 0;
  int telling = 0;
  for (uint32_t seed = TheRun().seed; cases < TheRun().count && !testing::Test::HasFailure();
       ++seed) {
    SCOPED_TRACE("again by --seed=" + std::to_string(seed) +
                 " --count=" + std::to_string(kCasesPerGroup));
    Group group(*index, seed, Unique("scope"));
    group.Fill();
    for (int n = 0; n < kCasesPerGroup && !testing::Test::HasFailure(); ++n) {
      ++cases;
      telling += group.Compare() ? 1 : 0;
    }
  }
  EXPECT_GT(telling, cases / 4) << "the queries say too little";
}

}  // namespace
}  // namespace a4c::conformance
