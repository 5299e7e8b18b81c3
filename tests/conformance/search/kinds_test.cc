// Ensure, and kinds that were never ensured.
#include "tests/conformance/search/search_fixture.h"

namespace a4c::conformance {
namespace {

using SearchIndexKinds = SearchIndexTest;

TEST_F(SearchIndexKinds, EnsureAgainKeepsWhatIsThere) {
  Add({Doc("a", 1, R"({"state":"x"})")});
  ASSERT_TRUE(index_->Ensure(Within(), {&kind_, 1}));
  EXPECT_THAT(Find("state:x"), testing::ElementsAre("a"));
}

TEST_F(SearchIndexKinds, ManyMayEnsureAtOnce) {
  const std::vector<Kind> kinds = {KindOfAllTypes(Unique("crowd")),
                                   KindOfAllTypes(Unique("crowd"))};
  std::array<bool, 4> ensured{};
  std::vector<std::unique_ptr<Thread>> threads;
  for (bool& done : ensured) {
    threads.push_back(TheRuntime().threads.Start("ensure", [&](std::stop_token) {
      const auto other = Make<SearchIndex>();
      done = other->Ensure(Within(), kinds) && index_->Ensure(Within(), kinds);
    }));
  }
  for (const auto& thread : threads) thread->Join();
  EXPECT_THAT(ensured, testing::Each(true));
}

TEST_F(SearchIndexKinds, ANewFieldIsAddedAndAnotherTypeIsAConflict) {
  Kind kind{.name = Unique("grown"),
            .fields = {{.name = "state", .type = FieldType::kKeyword, .searchable = true}}};
  ASSERT_TRUE(index_->Ensure(Within(), {&kind, 1}));
  kind.fields.push_back({.name = "views", .type = FieldType::kLong, .searchable = true});
  const auto grown = index_->Ensure(Within(), {&kind, 1});
  ASSERT_TRUE(grown) << grown.error().ToString();
  const Document document{
      .ref = {kind.name, {scope_, Id("a")}}, .rev = 1, .body = R"({"views":5})"};
  EXPECT_EQ(Bulk({document})[0].outcome, BulkOutcome::kApplied);
  ASSERT_TRUE(index_->Refresh(Within(), kind.name));
  const SearchRequest request{
      .kind = kind, .query = {.node = Query::Node::kEquals, .field = "views", .value = int64_t{5}}};
  EXPECT_EQ(Search(request).total, 1);
  kind.fields[0].type = FieldType::kLong;
  const auto changed = index_->Ensure(Within(), {&kind, 1});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code(), Code::kConflict);
}

TEST_F(SearchIndexKinds, AnInvalidKindIsRefused) {
  const Kind kind{.name = "No Name"};
  const auto ensured = index_->Ensure(Within(), {&kind, 1});
  ASSERT_FALSE(ensured);
  EXPECT_EQ(ensured.error().code(), Code::kInvalid);
}

TEST_F(SearchIndexKinds, OfAnUnknownKindDocumentsAreRejectedAndSearchesNotFound) {
  const Kind unknown = KindOfAllTypes(Unique("unknown"));
  const Document document{.ref = {unknown.name, {scope_, Id("a")}}, .rev = 1};
  const auto results = Bulk({document, Doc("b", 1, "{}")});
  EXPECT_EQ(results[0].outcome, BulkOutcome::kRejected);
  ASSERT_TRUE(results[0].error);
  EXPECT_EQ(results[0].error->code(), Code::kNotFound);
  EXPECT_EQ(results[1].outcome, BulkOutcome::kApplied);
  const auto found = index_->Search(Within(), {.kind = unknown});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kNotFound);
  const auto refreshed = index_->Refresh(Within(), unknown.name);
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace a4c::conformance
