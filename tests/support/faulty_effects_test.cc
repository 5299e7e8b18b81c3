// The decorators of the search index and of the host provider, over the memory fakes.
#include <gtest/gtest.h>

#include <type_traits>

#include "a4c/memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/faulty_host_provider.h"
#include "tests/support/faulty_search_index.h"

namespace a4c::testing {
namespace {

class FaultySearchIndexTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(inner_->Ensure(fake_.Within(1'000), std::span(&kind_, 1))); }

  Document Doc(int i, int64_t rev = 1) {
    return {{"thing", {"", "id" + std::to_string(i)}}, rev, false, "{}"};
  }
  Result<std::vector<BulkResult>> Bulk(FaultDraw draw, const std::vector<Document>& documents) {
    const auto policy = NewScriptedFaults(fake_.runtime(), {{"SearchIndex.Bulk", {draw}}});
    FaultySearchIndex index(*inner_, *policy, fake_.runtime());
    return index.Bulk(fake_.Within(1'000), documents);
  }
  int64_t Found() {
    EXPECT_TRUE(inner_->Refresh(fake_.Within(1'000), "thing"));
    return inner_->Search(fake_.Within(1'000), {.kind = kind_})->total;
  }

  const Kind kind_{.name = "thing"};
  FakeRuntime fake_{1, Passing::kAtWaits};
  std::unique_ptr<SearchIndex> inner_ = NewMemorySearchIndex(fake_.runtime());
};

TEST_F(FaultySearchIndexTest, AnErrorIndexesNothing) {
  EXPECT_EQ(Bulk({Fault::kError}, {Doc(1)}).error().code(), Code::kUnavailable);
  EXPECT_EQ(Found(), 0);
}

TEST_F(FaultySearchIndexTest, ALostAnswerAsksForARetryWhetherItWasDoneOrNot) {
  auto results = Bulk({Fault::kUnknownBefore}, {Doc(1), Doc(2)});
  ASSERT_EQ(results->size(), 2U);
  for (const BulkResult& result : *results) EXPECT_EQ(result.outcome, BulkOutcome::kRetry);
  EXPECT_EQ(Found(), 0);
  results = Bulk({Fault::kUnknownAfter}, {Doc(1), Doc(2)});
  ASSERT_EQ(results->size(), 2U);
  for (const BulkResult& result : *results) EXPECT_EQ(result.outcome, BulkOutcome::kRetry);
  EXPECT_EQ(Found(), 2);
}

TEST_F(FaultySearchIndexTest, ADuplicateFindsWhatItWroteItself) {
  const auto results = Bulk({Fault::kDuplicate}, {Doc(1)});
  ASSERT_EQ(results->size(), 1U);
  EXPECT_EQ((*results)[0].outcome, BulkOutcome::kStale);
  EXPECT_EQ(Found(), 1);
}

TEST_F(FaultySearchIndexTest, ResultsOfAReorderedBulkBelongToTheirDocuments) {
  ASSERT_TRUE(inner_->Bulk(fake_.Within(1'000), std::vector{Doc(0, 5), Doc(3, 5)}));
  std::vector<Document> documents;
  for (int i = 0; i < 8; ++i) documents.push_back(Doc(i));
  const auto results = Bulk({.fault = Fault::kReorder, .bits = 3}, documents);
  ASSERT_EQ(results->size(), 8U);
  for (size_t i = 0; i < 8; ++i) {
    const bool stale = i == 0 || i == 3;
    EXPECT_EQ((*results)[i].outcome, stale ? BulkOutcome::kStale : BulkOutcome::kApplied) << i;
  }
}

TEST_F(FaultySearchIndexTest, ReadsAndRefreshesFail) {
  const auto policy = NewScriptedFaults(
      fake_.runtime(),
      {{"SearchIndex.Search", {{Fault::kError}}}, {"SearchIndex.Refresh", {{Fault::kError}}}});
  FaultySearchIndex index(*inner_, *policy, fake_.runtime());
  EXPECT_EQ(index.Search(fake_.Within(1), {.kind = kind_}).error().code(), Code::kUnavailable);
  EXPECT_EQ(index.Refresh(fake_.Within(1), "thing").error().code(), Code::kUnavailable);
  EXPECT_TRUE(index.Search(fake_.Within(1), {.kind = kind_}));
}

class FaultyHostProviderTest : public ::testing::Test {
 protected:
  template <typename F>
  auto With(const std::string& call, FaultDraw draw, const F& f)
      -> std::invoke_result_t<F, FaultyHostProvider&> {
    const auto policy = NewScriptedFaults(fake_.runtime(), {{call, {draw}}});
    FaultyHostProvider hosts(*inner_, *policy, fake_.runtime());
    return f(hosts);
  }
  Result<UnitStatus> Ensure(FaultDraw draw) {
    return With("HostProvider.Ensure", draw, [&](FaultyHostProvider& hosts) {
      return hosts.Ensure(fake_.Within(1'000), unit_);
    });
  }
  Result<void> Remove(FaultDraw draw) {
    return With("HostProvider.Remove", draw, [&](FaultyHostProvider& hosts) {
      return hosts.Remove(fake_.Within(1'000), unit_.host, unit_.name, unit_.epoch);
    });
  }
  size_t Units() { return inner_->List(fake_.Within(1'000), unit_.host)->size(); }

  FakeRuntime fake_{1, Passing::kAtWaits};
  std::unique_ptr<HostProvider> inner_ = NewMemoryHostProvider(fake_.runtime());
  const Unit unit_{.host = "local-1",
                   .name = "unit-1",
                   .epoch = 1,
                   .spec = {.command = {"sleep", "1000"}},
                   .wanted = UnitWanted::kStopped};
};

TEST_F(FaultyHostProviderTest, AnErrorHasNoEffect) {
  EXPECT_EQ(Ensure({Fault::kError}).error().code(), Code::kUnavailable);
  EXPECT_EQ(Units(), 0U);
}

TEST_F(FaultyHostProviderTest, AnEffectCanBeLostOrDoneWithoutAnAnswer) {
  EXPECT_EQ(Ensure({Fault::kUnknownBefore}).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(Units(), 0U);
  EXPECT_EQ(Ensure({Fault::kUnknownAfter}).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(Units(), 1U);
  EXPECT_EQ(Remove({Fault::kUnknownBefore}).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(Units(), 1U);
  EXPECT_EQ(Remove({Fault::kUnknownAfter}).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(Units(), 0U);
}

TEST_F(FaultyHostProviderTest, ADuplicateHappensTwiceAndTheSecondChangesNothing) {
  const auto ensured = Ensure({Fault::kDuplicate});
  ASSERT_TRUE(ensured) << ensured.error().ToString();
  EXPECT_EQ(Units(), 1U);
  EXPECT_TRUE(Remove({Fault::kDuplicate}));
  EXPECT_EQ(Units(), 0U);
}

}  // namespace
}  // namespace a4c::testing
