// Sort, pages, scopes and limits.
#include <set>

#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

class SearchIndexOrder : public SearchIndexTest {
 protected:
  std::vector<std::string> Sorted(std::vector<SortKey> sort) {
    SearchRequest request = Request("*");
    request.sort = std::move(sort);
    return IdsOf(Search(request));
  }

  // All ids, read in pages; expects that every page but the last is full.
  std::vector<std::string> Paged(SearchRequest request, int limit) {
    request.limit = limit;
    std::vector<std::string> ids;
    for (;;) {
      const SearchAnswer page = Search(request);
      for (const std::string& id : IdsOf(page)) ids.push_back(id);
      if (page.next.empty()) return ids;
      EXPECT_EQ(page.hits.size(), static_cast<size_t>(limit));
      if (page.hits.empty() || ids.size() > 10'000) return ids;
      request.after = page.next;
    }
  }
};

using Ids = std::vector<std::string>;

TEST_F(SearchIndexOrder, ByIdUnlessAsked) {
  Add({Doc("b", 1, "{}"), Doc("B", 1, "{}"), Doc("a", 1, "{}"), Doc("\xC3\xA9", 1, "{}"),
       Doc("a0", 1, "{}")});
  EXPECT_EQ(Sorted({}), (Ids{"B", "a", "a0", "b", "\xC3\xA9"}));
}

TEST_F(SearchIndexOrder, ByEachTypeBothWaysWithAbsentLast) {
  Add({Doc("a", 1,
           R"({"state":"m","tags":["a","z"],"views":5,"score":0.5,"done":true,"created_at":5})"),
       Doc("b", 1,
           R"({"state":"Z","tags":["b"],"views":-5,"score":-1e300,"done":false,"created_at":-5})"),
       Doc("c", 1, R"({})"),
       Doc("d", 1, R"({"state":"é","tags":["c","d"],"views":100,"score":100,"created_at":100})"),
       Doc("e", 1, R"({"tags":[],"views":null})")});
  EXPECT_EQ(Sorted({{"state"}}), (Ids{"b", "a", "d", "c", "e"}));
  EXPECT_EQ(Sorted({{"state", true}}), (Ids{"d", "a", "b", "c", "e"}));
  EXPECT_EQ(Sorted({{"tags"}}), (Ids{"a", "b", "d", "c", "e"}));
  EXPECT_EQ(Sorted({{"tags", true}}), (Ids{"a", "d", "b", "c", "e"}));
  for (const char* field : {"views", "score", "created_at"}) {
    EXPECT_EQ(Sorted({{field}}), (Ids{"b", "a", "d", "c", "e"})) << field;
    EXPECT_EQ(Sorted({{field, true}}), (Ids{"d", "a", "b", "c", "e"})) << field;
  }
  EXPECT_EQ(Sorted({{"done"}}), (Ids{"b", "a", "c", "d", "e"}));
  EXPECT_EQ(Sorted({{"done", true}}), (Ids{"a", "b", "c", "d", "e"}));
}

TEST_F(SearchIndexOrder, BySeveralKeysThenId) {
  Add({Doc("4", 1, R"({"state":"x","views":1})"), Doc("3", 1, R"({"state":"x","views":1})"),
       Doc("2", 1, R"({"state":"x","views":2})"), Doc("1", 1, R"({"state":"y","views":9})")});
  EXPECT_EQ(Sorted({{"state"}, {"views", true}}), (Ids{"2", "3", "4", "1"}));
  EXPECT_EQ(Sorted({{"state", true}, {"views"}}), (Ids{"1", "3", "4", "2"}));
}

TEST_F(SearchIndexOrder, PagesOfAnySizeGiveTheWholeInOrder) {
  std::vector<Document> documents;
  for (int i = 0; i < 60; ++i) {
    std::string body = "{";
    if (i % 3 != 0) body += R"("state":"s)" + std::to_string(i % 4) + "\",";
    if (i % 5 != 0) body += R"("views":)" + std::to_string(i % 6) + ",";
    if (i % 2 != 0) body += R"("score":)" + std::to_string(i % 3) + ".25,";
    if (i % 4 != 0) body += std::string(R"("done":)") + (i % 3 != 0 ? "true" : "false") + ",";
    body += R"("note":"n"})";
    documents.push_back(Doc(std::to_string(100 + i), 1, body));
  }
  Add(documents);
  const std::vector<std::vector<SortKey>> sorts = {
      {},
      {{"state"}},
      {{"state", true}},
      {{"views"}},
      {{"views", true}},
      {{"score"}},
      {{"score", true}},
      {{"done"}},
      {{"done", true}},
      {{"done"}, {"state", true}, {"views"}, {"score"}}};
  for (size_t i = 0; i < sorts.size(); ++i) {
    SearchRequest request = Request("*");
    request.sort = sorts[i];
    const Ids whole = IdsOf(Search(request));
    ASSERT_EQ(std::set<std::string>(whole.begin(), whole.end()).size(), 60u) << i;
    for (const int limit : {7, 60}) EXPECT_EQ(Paged(request, limit), whole) << "sort " << i;
  }
}

TEST_F(SearchIndexOrder, AbsentAndTheLargestIntegerSortAlikeAndPageAlike) {
  Add({Doc("b", 1, "{}"), Doc("a", 1, R"({"views":9223372036854775807})"),
       Doc("c", 1, R"({"views":9223372036854775807})"),
       Doc("d", 1, R"({"views":-9223372036854775808})")});
  EXPECT_EQ(Sorted({{"views"}}), (Ids{"d", "a", "b", "c"}));
  EXPECT_EQ(Sorted({{"views", true}}), (Ids{"a", "c", "b", "d"}));
  for (const bool descending : {false, true}) {
    SearchRequest request = Request("*");
    request.sort = {{"views", descending}};
    EXPECT_EQ(Paged(request, 1), Sorted(request.sort));
  }
}

TEST_F(SearchIndexOrder, PagesStayStableWhileOthersAreWritten) {
  Add({Doc("b", 1, "{}"), Doc("d", 1, "{}"), Doc("f", 1, "{}")});
  SearchRequest request = Request("*");
  request.limit = 2;
  const SearchAnswer first = Search(request);
  EXPECT_EQ(IdsOf(first), (Ids{"b", "d"}));
  EXPECT_EQ(first.total, 3);
  Add({Doc("a", 1, "{}"), Doc("e", 1, "{}"), Tombstone("d", 2)});
  request.after = first.next;
  const SearchAnswer second = Search(request);
  EXPECT_EQ(IdsOf(second), (Ids{"e", "f"}));
  EXPECT_EQ(second.total, 4);
}

TEST_F(SearchIndexOrder, AFullLastPageHasNoNext) {
  Add({Doc("a", 1, "{}"), Doc("b", 1, "{}")});
  SearchRequest request = Request("*");
  request.limit = 2;
  EXPECT_EQ(Search(request).next, "");
  request.limit = 1;
  EXPECT_NE(Search(request).next, "");
}

TEST_F(SearchIndexOrder, ScopesNeverSeeEachOther) {
  const std::string other = Unique("scope");
  Document foreign = Doc("x", 1, R"({"state":"same"})");
  foreign.ref.key.scope = other;
  Document none = Doc("y", 1, R"({"state":"same"})");
  none.ref.key.scope = "";
  Add({Doc("a", 1, R"({"state":"same"})"), foreign, none});
  SearchRequest request = Request("state:same");
  request.facets = {{"state"}};
  EXPECT_EQ(IdsOf(Search(request)), (Ids{"a"}));
  EXPECT_EQ(Search(request).total, 1);
  EXPECT_EQ(Search(request).facets.at(0).at(0).count, 1);
  request.query = *ParseQuery("state:same or not state:same", kind_, 0);
  EXPECT_EQ(IdsOf(Search(request)), (Ids{"a"}));
  request.scope = other;
  EXPECT_EQ(IdsOf(Search(request)), (Ids{"x"}));
  request.scope = "";
  for (const Hit& hit : Search(request).hits) EXPECT_EQ(hit.ref.key.scope, "");
  request.scope.reset();
  EXPECT_GE(Search(request).total, 3);
}

TEST_F(SearchIndexOrder, RequestsOutsideTheBoundsAreInvalid) {
  const auto code = [&](auto&& change) {
    SearchRequest request = Request("*");
    change(request);
    const auto answer = index_->Search(Within(), request);
    return answer ? "answered" : std::string(CodeName(answer.error().code()));
  };
  const std::string invalid(CodeName(Code::kInvalid));
  EXPECT_EQ(code([](auto& r) { r.limit = 0; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.limit = 1001; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.limit = -1; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.after = "rubbish"; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.sort = {{"title"}}; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.sort = {{"hidden"}}; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.facets = {{"title"}}; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.facets = {{"state", std::string(1, '\0')}}; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.facets = {{"labels." + std::string(1, '\0')}}; }), invalid);
  EXPECT_EQ(code([](auto& r) { r.limit = 1000; }), "answered");
}

}  // namespace
}  // namespace a4c::conformance
