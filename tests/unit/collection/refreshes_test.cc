#include "collection/refreshes.h"

#include <thread>

#include "a4c/digests.h"
#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

using Ids = std::vector<std::string>;

class RefreshesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Kind kind = PhotoKind();
    ASSERT_TRUE(memory_->Ensure(Within(), std::span(&kind, 1)));
    index_.on_refresh = [this] {
      ++calls_;
      const auto during = std::exchange(during_, nullptr);
      return during ? during() : Result<void>();
    };
  }

  Call Within(int64_t timeout_ms = 60'000) const { return fake_.Within(timeout_ms); }

  FakeRuntime fake_;
  std::unique_ptr<SearchIndex> memory_ = NewMemorySearchIndex(fake_.runtime());
  HookedIndex index_{*memory_};
  Refreshes refreshes_{index_, fake_.runtime(), "photo", 1'000};
  std::atomic<int> calls_ = 0;
  std::function<Result<void>()> during_;  // the next one
};

TEST_F(RefreshesTest, OneThatHadBegunBeforeShowsNothing) {
  int64_t mark = 0;
  during_ = [&]() -> Result<void> {
    mark = refreshes_.Begun();
    return {};
  };
  EXPECT_LE(*refreshes_.ShowDue(Within(), 0), mark);
  EXPECT_GT(*refreshes_.Show(Within(), mark), mark);
  EXPECT_EQ(calls_, 2);
}

TEST_F(RefreshesTest, NoneIsDueTwiceInAPeriod) {
  EXPECT_EQ(*refreshes_.ShowDue(Within(), 0), 1);
  fake_.clock().Advance(999);
  EXPECT_EQ(*refreshes_.ShowDue(Within(), 0), 1);
  EXPECT_EQ(calls_, 1);
  fake_.clock().Advance(1);
  EXPECT_EQ(*refreshes_.ShowDue(Within(), 0), 2);
}

TEST_F(RefreshesTest, WhatIsLateWaitsLongerByAQuarterOfThatAndFivePeriodsAtMost) {
  const int64_t began_ms = fake_.runtime().clock.MonotonicMs();
  EXPECT_EQ(*refreshes_.ShowDue(Within(), 60'000), 1) << "the first one, whatever is late";
  EXPECT_EQ(refreshes_.DueAtMs(0), began_ms + 1'000);
  EXPECT_EQ(refreshes_.DueAtMs(4'000), began_ms + 1'000);
  EXPECT_EQ(refreshes_.DueAtMs(8'000), began_ms + 2'000);
  EXPECT_EQ(refreshes_.DueAtMs(60'000), began_ms + 5'000);
  fake_.clock().Advance(1'999);
  EXPECT_EQ(*refreshes_.ShowDue(Within(), 8'000), 1);
  fake_.clock().Advance(1);
  EXPECT_EQ(*refreshes_.ShowDue(Within(), 60'000), 1);
  EXPECT_EQ(*refreshes_.ShowDue(Within(), 8'000), 2);
}

TEST_F(RefreshesTest, WhoHasMoreToDoDoesNotWaitForTheOneUnderWay) {
  int64_t shown = -1;
  during_ = [&]() -> Result<void> {
    fake_.clock().Advance(5'000);
    A4C_TRY(shown, refreshes_.ShowDue(Within(), 0));
    return {};
  };
  EXPECT_EQ(*refreshes_.ShowDue(Within(), 0), 1);
  EXPECT_EQ(shown, 0);
  EXPECT_EQ(calls_, 1);
}

TEST_F(RefreshesTest, WhoWaitsForTheOneUnderWaySharesTheNext) {
  std::vector<std::jthread> callers;
  std::atomic<int> shown = 0;
  during_ = [&]() -> Result<void> {
    for (int i = 0; i < 3; ++i) {
      callers.emplace_back([&] {
        const auto answer = refreshes_.Show(Within(), 1);
        if (answer && *answer > 1) ++shown;
      });
    }
    EXPECT_TRUE(fake_.clock().AwaitWaiting(3));
    return {};
  };
  EXPECT_TRUE(refreshes_.ShowDue(Within(), 0));
  callers.clear();
  EXPECT_EQ(shown, 3);
  EXPECT_EQ(calls_, 2);
}

TEST_F(RefreshesTest, ItsErrorIsThatOfAllWhoWaitForItAndSpoilsNothing) {
  std::vector<std::jthread> callers;
  std::atomic<int> failed = 0;
  during_ = [&]() -> Result<void> {
    for (int i = 0; i < 3; ++i) {
      callers.emplace_back([&] {
        if (!refreshes_.Show(Within(), 0)) ++failed;
      });
    }
    EXPECT_TRUE(fake_.clock().AwaitWaiting(3));
    return Error(Code::kUnavailable, "the index is away");
  };
  EXPECT_FALSE(refreshes_.ShowDue(Within(), 0));
  callers.clear();
  EXPECT_EQ(failed, 3);
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(*refreshes_.Show(Within(), 0), 2);
}

TEST_F(RefreshesTest, NobodyWaitsPastADeadline) {
  Code code = Code::kInternal;
  during_ = [&]() -> Result<void> {
    std::jthread late([&] { code = refreshes_.Show(Within(100), 1).error().code(); });
    EXPECT_TRUE(fake_.clock().AwaitWaiting(1));
    fake_.clock().Advance(100);
    return {};
  };
  EXPECT_TRUE(refreshes_.ShowDue(Within(), 0));
  EXPECT_EQ(code, Code::kTimeout);
}

// Two poll loops: one refreshes while the other's documents are on their way to the index.
TEST_F(DatabaseTest, ARefreshDuringTheBulkOfAnotherLoopConfirmsNothingOfIt) {
  HookedIndex index(*index_);
  database_ =
      std::make_unique<Database>(Backends{.store = store_, .index = &index}, fake_.runtime());
  ASSERT_TRUE(database_->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
  const auto first = database_->NewPollLoop("photo", 0, 2);
  const auto second = database_->NewPollLoop("photo", 1, 2);
  for (int i = 0; i < 8; ++i) Put("id-" + std::to_string(i), R"({"album":"pier"})");
  fake_.clock().Advance(10);
  bool stepped = false;
  index.on_bulk = [&](std::span<const Document> documents) -> Result<void> {
    if (stepped || DigestBucket(documents[0].ref.key.id) % 2 == 1) return {};
    stepped = true;
    Step(*second);
    return {};
  };
  Step(*first);
  EXPECT_TRUE(stepped);
  EXPECT_EQ(Find("album:pier").size(), 8u);
  EXPECT_TRUE(Outbox().empty());
}

// A backlog, in bulks that take a second each.
TEST_F(DatabaseTest, ABacklogIsRefreshedForLessOftenTheOlderItIs) {
  HookedIndex index(*index_);
  database_ = std::make_unique<Database>(Backends{.store = store_, .index = &index},
                                         fake_.runtime(), DatabaseOptions{.sync_batch_max = 1});
  ASSERT_TRUE(database_->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
  const auto loop = database_->NewPollLoop("photo");
  int refreshes = 0;
  index.on_refresh = [&]() -> Result<void> {
    ++refreshes;
    return {};
  };
  index.on_bulk = [&](std::span<const Document>) -> Result<void> {
    fake_.clock().Advance(1'000);
    return {};
  };
  const auto refreshes_of_ten_put_before = [&](int64_t late_ms) {
    for (int i = 0; i < 10; ++i) Put("id-" + std::to_string(late_ms + i), R"({"album":"pier"})");
    fake_.clock().Advance(late_ms);
    refreshes = 0;
    EXPECT_TRUE(loop->Step(fake_.Within(600'000)));
    EXPECT_TRUE(Outbox().empty());
    return refreshes;
  };
  EXPECT_GE(refreshes_of_ten_put_before(10), 6);
  EXPECT_LE(refreshes_of_ten_put_before(12'000), 4);
  EXPECT_LE(refreshes_of_ten_put_before(60'000), 3);
}

TEST_F(DatabaseTest, AFreshChangeDoesNotWaitAsLongAsTheOldOnesBesideIt) {
  database_ = std::make_unique<Database>(
      Backends{.store = store_, .bus = bus_.get(), .index = index_.get()}, fake_.runtime(),
      DatabaseOptions{.sync_batch_max = 1});
  ASSERT_TRUE(database_->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
  const auto loop = database_->NewSyncLoop("photo");
  for (const char* id : {"old-1", "old-2"}) Put(id, R"({"album":"pier"})");
  fake_.clock().Advance(60'000);
  for (int i = 0; i < 2; ++i) Step(*loop, 10);  // refreshes for one of them
  Put("new", R"({"album":"pier"})");
  Step(*loop, 10);
  EXPECT_EQ(Outbox().size(), 2u);
  fake_.clock().Advance(1'000);
  Step(*loop, 10);
  EXPECT_TRUE(Outbox().empty());
}

// It takes documents, and cannot be refreshed.
TEST_F(DatabaseTest, WhatAnIndexDoesNotShowIsBoundedAndTheBusKeepsTheRest) {
  HookedIndex index(*index_);
  database_ =
      std::make_unique<Database>(Backends{.store = store_, .bus = bus_.get(), .index = &index},
                                 fake_.runtime(), DatabaseOptions{.sync_batch_max = 1});
  ASSERT_TRUE(database_->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
  const auto loop = database_->NewSyncLoop("photo");
  size_t documents = 0;
  index.on_bulk = [&](std::span<const Document> bulk) -> Result<void> {
    documents += bulk.size();
    return {};
  };
  bool shows = false;
  index.on_refresh = [&]() -> Result<void> {
    if (shows) return {};
    return Error(Code::kUnavailable, "a shard is away");
  };
  for (int i = 0; i < 90; ++i) Put("id-" + std::to_string(i), R"({"album":"pier"})");
  for (int i = 0; i < 400; ++i) {
    const Result<int64_t> pause_ms = loop->Step(fake_.Within(10));
    fake_.clock().Advance(pause_ms ? *pause_ms : 100);
  }
  EXPECT_EQ(documents, 50u);
  EXPECT_EQ(Outbox().size(), 90u);
  shows = true;
  for (int i = 0; i < 1'000 && !Outbox().empty(); ++i) {
    const Result<int64_t> pause_ms = loop->Step(fake_.Within(10));
    ASSERT_TRUE(pause_ms) << pause_ms.error().ToString();
    fake_.clock().Advance(*pause_ms);
  }
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(documents, 90u);
}

}  // namespace
}  // namespace a4c::testing
