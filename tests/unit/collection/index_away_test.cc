// The search index is away, or cannot be used, when an instance starts.
#include <optional>

#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

// Hands every call on, unless there is trouble.
class TroubledIndex final : public SearchIndex {
 public:
  explicit TroubledIndex(SearchIndex& index) : index_(index) {}
  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    ensured_within_ms = call.RemainingMs();
    return trouble ? Result<void>(*trouble) : index_.Ensure(call, kinds);
  }
  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    if (trouble) return *trouble;
    return index_.Bulk(call, documents);
  }
  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    if (trouble) return *trouble;
    return index_.Remove(call, purges);
  }
  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    if (trouble) return *trouble;
    return index_.Search(call, request);
  }
  Result<void> Refresh(const Call& call, const std::string& kind) override {
    return trouble ? Result<void>(*trouble) : index_.Refresh(call, kind);
  }

  std::optional<Error> trouble = Error(Code::kUnavailable, "connection refused");
  int64_t ensured_within_ms = 0;
  bool rebuilds = false;

 protected:
  void* Extension(std::string_view name) override {
    return rebuilds && name == Rebuild::kExtension ? index_.As<Rebuild>() : nullptr;
  }

 private:
  SearchIndex& index_;
};

class IndexAwayTest : public DatabaseTest {
 protected:
  Result<void> Start() {
    database_ =
        std::make_unique<Database>(Backends{.store = store_, .index = &away_}, fake_.runtime());
    A4C_CHECK(database_->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
    poll_ = database_->NewPollLoop("photo");
    return {};
  }

  std::string TroubleOfTheIndex() {
    const auto status = database_->Status(Within(), "photo");
    EXPECT_TRUE(status) << status.error().ToString();
    return status ? status->index_trouble : "";
  }

  TroubledIndex away_{*index_};
};

TEST_F(IndexAwayTest, KeepsNobodyFromStartingAndWriting) {
  ASSERT_TRUE(Start());
  EXPECT_EQ(fake_.log().CountOf("the index is not ready yet", LogLevel::kWarning), 1);
  Put("a", R"({"title":"pier"})");
  EXPECT_TRUE(Read("a"));
  EXPECT_EQ(Outbox().size(), 1u);
}

TEST_F(IndexAwayTest, WhatItHasAgainstUsIsNoFaultOfWhoSearches) {
  away_.trouble.reset();
  ASSERT_TRUE(Start());
  for (const Code code : {Code::kDenied, Code::kNotFound}) {
    away_.trouble = Error(code, "status 4xx", "of the plugin");
    const auto found = database_->Search(Within(), {.request = {.kind = PhotoKind()}});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Code::kUnavailable);
    EXPECT_NE(found.error().message().find("status 4xx"), std::string::npos);
    EXPECT_FALSE(found.error().hint().empty());
  }
}

TEST_F(IndexAwayTest, IsToldToWhoSearchesAndToOperators) {
  ASSERT_TRUE(Start());
  const auto found = database_->Search(Within(), {.request = {.kind = PhotoKind()}});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kUnavailable);
  EXPECT_EQ(TroubleOfTheIndex(), "unavailable: connection refused");
  const auto status = database_->NewStatusLoop("photo");
  Step(*status);
  EXPECT_EQ(fake_.metrics().GaugeOf(R"(a4c_index_ready{kind="photo"})"), 0);
  away_.trouble.reset();
  Step(*status);
  EXPECT_EQ(fake_.metrics().GaugeOf(R"(a4c_index_ready{kind="photo"})"), 1);
}

TEST_F(IndexAwayTest, WhatWasWrittenMeanwhileIsSearchableOnceItIsThere) {
  ASSERT_TRUE(Start());
  Put("a", R"({"title":"pier"})");
  fake_.clock().Advance(60'000);
  EXPECT_FALSE(poll_->Step(Within()));
  away_.trouble.reset();
  fake_.clock().Advance(60'000);
  Step(*poll_, 10'000);
  EXPECT_EQ(Find("pier"), std::vector<std::string>{"a"});
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(TroubleOfTheIndex(), "");
}

TEST_F(IndexAwayTest, AStartDoesNotWaitLongForIt) {
  away_.trouble = Error(Code::kTimeout, "no answer");
  ASSERT_TRUE(Start());
  EXPECT_LE(away_.ensured_within_ms, 10'000);
  away_.trouble = Error(Code::kUnknownOutcome, "the connection was lost");
  EXPECT_TRUE(Start());
}

TEST_F(IndexAwayTest, OneThatCannotBeUsedAsItIsEndsTheStart) {
  for (const Code code : {Code::kInvalid, Code::kUnsupported, Code::kDenied, Code::kConflict}) {
    away_.trouble = Error(code, "no such mapping");
    const auto started = Start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), code);
  }
}

TEST_F(IndexAwayTest, OneThatIsOutdatedSaysWhatItsPluginAdvises) {
  away_.rebuilds = true;
  away_.trouble = Error(Code::kConflict, "index \"jobs\" is in the way", "delete it");
  ASSERT_TRUE(Start());
  EXPECT_NE(TroubleOfTheIndex().find("delete it"), std::string::npos) << TroubleOfTheIndex();
}

}  // namespace
}  // namespace a4c::testing
