// A rebuild whose new generation takes nothing keeps changes from searches of the old one, and
// ends.
#include "collection/rebuild_stall.h"

#include <algorithm>

#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

// kTakesSome: not the document "stuck", and no more does kCannotRefresh.
enum class Mode : uint8_t { kWorks, kIsAway, kRetriesAll, kRefusesAll, kTakesSome, kCannotRefresh };

Error IsAway() {
  return {Code::kUnavailable, "the shards are away"};
}

std::vector<BulkResult> All(size_t count, BulkOutcome outcome) {
  return std::vector<BulkResult>(count, {.outcome = outcome, .error = IsAway()});
}

// Does what its mode says, which a test may change at any time.
class MoodyIndex final : public SearchIndex {
 public:
  MoodyIndex(std::unique_ptr<SearchIndex> index, const Mode& mode)
      : index_(std::move(index)), mode_(mode) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return index_->Ensure(call, kinds);
  }
  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    if (mode_ == Mode::kIsAway) return IsAway();
    if (mode_ == Mode::kRetriesAll) return All(documents.size(), BulkOutcome::kRetry);
    if (mode_ == Mode::kRefusesAll) return All(documents.size(), BulkOutcome::kRejected);
    A4C_TRY(std::vector<BulkResult> results, index_->Bulk(call, documents));
    for (size_t i = 0; i < results.size() && mode_ != Mode::kWorks; ++i) {
      if (documents[i].ref.key.id == "stuck") results[i] = All(1, BulkOutcome::kRetry)[0];
    }
    return results;
  }
  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    return index_->Remove(call, purges);
  }
  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    return index_->Search(call, request);
  }
  Result<void> Refresh(const Call& call, const std::string& kind) override {
    if (mode_ == Mode::kIsAway || mode_ == Mode::kCannotRefresh) return IsAway();
    return index_->Refresh(call, kind);
  }

 protected:
  void* Extension(std::string_view name) override {
    return name == Digests::kExtension ? index_->As<Digests>() : nullptr;
  }

 private:
  const std::unique_ptr<SearchIndex> index_;
  const Mode& mode_;
};

// An engine of which the live generation and the one that is filled fail apart, and which can be
// deleted: what is behind it becomes a new one.
class MoodyEngine final : public SearchIndex, public Rebuild {
 public:
  explicit MoodyEngine(std::unique_ptr<SearchIndex>& index) : index_(index) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return index_->Ensure(call, kinds);
  }
  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    if (live == Mode::kIsAway) return IsAway();
    if (live == Mode::kRetriesAll) return All(documents.size(), BulkOutcome::kRetry);
    return index_->Bulk(call, documents);
  }
  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    return index_->Remove(call, purges);
  }
  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    return index_->Search(call, request);
  }
  Result<void> Refresh(const Call& call, const std::string& kind) override {
    if (live == Mode::kIsAway) return IsAway();
    return index_->Refresh(call, kind);
  }
  Result<std::vector<IndexGeneration>> Generations(const Call& call, const Kind& kind) override {
    return index_->As<Rebuild>()->Generations(call, kind);
  }
  Result<void> Create(const Call& call, const Kind& kind, int64_t number) override {
    return index_->As<Rebuild>()->Create(call, kind, number);
  }
  Result<std::unique_ptr<SearchIndex>> Open(const Call& call, const Kind& kind,
                                            int64_t number) override {
    A4C_TRY(auto opened, index_->As<Rebuild>()->Open(call, kind, number));
    return std::unique_ptr<SearchIndex>(std::make_unique<MoodyIndex>(std::move(opened), next));
  }
  Result<void> Swap(const Call& call, const Kind& kind, int64_t number) override {
    return index_->As<Rebuild>()->Swap(call, kind, number);
  }
  Result<void> Drop(const Call& call, const Kind& kind, int64_t number) override {
    return index_->As<Rebuild>()->Drop(call, kind, number);
  }

  Mode live = Mode::kWorks;
  Mode next = Mode::kWorks;

 protected:
  void* Extension(std::string_view name) override {
    if (name == Rebuild::kExtension) return static_cast<Rebuild*>(this);
    return name == Digests::kExtension ? index_->As<Digests>() : nullptr;
  }

 private:
  std::unique_ptr<SearchIndex>& index_;
};

class RebuildStallTest : public DatabaseTest {
 protected:
  struct Instance {
    std::unique_ptr<Database> database;
    std::unique_ptr<Loop> poll = {}, rebuild = {};
  };

  Instance NewInstance(MoodyEngine& engine, const DatabaseOptions& options = {}) {
    Instance one{.database = std::make_unique<Database>(Backends{.store = store_, .index = &engine},
                                                        fake_.runtime(), options)};
    EXPECT_TRUE(one.database->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
    one.poll = one.database->NewPollLoop("photo");
    one.rebuild = one.database->NewRebuildLoop("photo");
    return one;
  }

  void SetUp() override { ours_ = NewInstance(engine_); }

  void Put(const std::string& id) {
    ASSERT_TRUE(ours_.database->Write(
        Within(), {.changes = {{.ref = Photo(id), .body = R"({"album":"pier"})"}}}));
  }

  SyncTask Task() { return **ours_.database->FindTask(Within(), "photo", SyncWork::kRebuild); }
  bool Runs() { return Task().state == SyncTask::State::kRunning; }

  // A rebuild that an operator asks for, which has come to this phase.
  void StartTo(const std::string& phase) {
    ASSERT_TRUE(ours_.database->StartTask(Within(), "photo", SyncWork::kRebuild));
    for (int i = 0; i < 20 && Task().phase != phase; ++i) Step(*ours_.rebuild, 10'000);
    ASSERT_EQ(Task().phase, phase);
  }

  // Steps that may fail, for so long.
  void Poll(int64_t duration_ms) {
    for (int64_t at_ms = 0; at_ms < duration_ms; at_ms += kStepMs) {
      fake_.clock().Advance(kStepMs);
      (void)ours_.poll->Step(fake_.Within(10'000));
    }
  }
  void PollAndRebuild(int64_t duration_ms) {
    for (int64_t at_ms = 0; at_ms < duration_ms; at_ms += kStepMs) {
      (void)ours_.rebuild->Step(fake_.Within(10'000));
      Poll(kStepMs);
    }
  }

  size_t Waiting() {
    return ours_.database->Scan(Within(), {.kind = "photo_outbox"})->records.size();
  }
  int64_t Shown() {
    const auto found = ours_.database->Search(Within(), {.request = {.kind = PhotoKind()}});
    return found ? found->answer.total : -1;
  }

  static constexpr int64_t kStepMs = 5'000;

  MoodyEngine engine_{index_};
  Instance ours_;
};

class RebuildStallsTest : public RebuildStallTest, public ::testing::WithParamInterface<Mode> {};

TEST_P(RebuildStallsTest, IsEndedAndTheOldIndexShowsChangesAgain) {
  StartTo("copying");
  engine_.next = GetParam();
  Put("a");
  PollAndRebuild(50'000);
  EXPECT_TRUE(Runs());
  EXPECT_EQ(Waiting(), 1u);
  PollAndRebuild(30'000);
  ASSERT_EQ(Task().state, SyncTask::State::kFailed);
  EXPECT_EQ(Task().message,
            "the new index took nothing for 60 s, while the live one did: the shards are away");
  EXPECT_GT(Task().ended_ms, 0);
  EXPECT_EQ(Waiting(), 0u);
  EXPECT_EQ(Shown(), 1);
  Put("b");
  PollAndRebuild(600'000);
  EXPECT_EQ(Shown(), 2);
  EXPECT_EQ(Task().state, SyncTask::State::kFailed) << "begun again by nobody";
}

// What is on its way to it alone is no drift of one that can be read.
TEST_P(RebuildStallsTest, OneThatIsProvedIsNotPutInPlaceAndEndsToo) {
  StartTo("proving");
  engine_.next = GetParam();
  Put("a");
  PollAndRebuild(90'000);
  EXPECT_EQ(Task().state, SyncTask::State::kFailed);
  EXPECT_EQ(Shown(), 1);
}

INSTANTIATE_TEST_SUITE_P(Ways, RebuildStallsTest,
                         ::testing::Values(Mode::kIsAway, Mode::kRetriesAll, Mode::kCannotRefresh));

// Not even before they are dead letters.
TEST_F(RebuildStallTest, WhatTheNewIndexRefusesIsNoStall) {
  ours_ = NewInstance(engine_, {.rejections_max = 10'000});
  StartTo("proving");
  engine_.next = Mode::kRefusesAll;
  for (int i = 0; i < 30; ++i) {
    Put(std::to_string(i));
    Poll(10'000);
  }
  EXPECT_TRUE(Runs());
}

// Whatever it is that it does not take.
TEST_F(RebuildStallTest, ANewIndexThatTakesSomethingNowAndThenIsNoStall) {
  StartTo("proving");
  Put("stuck");
  for (int i = 0; i < 10; ++i) {
    engine_.next = Mode::kTakesSome;
    Put(std::to_string(i));
    Poll(10'000);
    EXPECT_EQ(Waiting(), 1u);
    engine_.next = Mode::kCannotRefresh;
    Put("late" + std::to_string(i));
    Poll(30'000);
  }
  EXPECT_TRUE(Runs());
  EXPECT_GE(Shown(), 10);
}

class EngineAwayTest : public RebuildStallTest, public ::testing::WithParamInterface<Mode> {};

TEST_P(EngineAwayTest, IsNoStall) {
  StartTo("proving");
  engine_.next = Mode::kIsAway;
  Put("a");
  Poll(10'000);  // it goes, one index after the other
  engine_.live = GetParam();
  PollAndRebuild(600'000);
  engine_.live = Mode::kWorks;  // and comes back so
  PollAndRebuild(40'000);
  EXPECT_TRUE(Runs());
  engine_.next = Mode::kWorks;
  PollAndRebuild(60'000);
  EXPECT_EQ(Task().state, SyncTask::State::kSucceeded);
}

INSTANTIATE_TEST_SUITE_P(Ways, EngineAwayTest, ::testing::Values(Mode::kIsAway, Mode::kRetriesAll));

// Whose instance died is gone on with by the next, which the loops that sync need not hear of.
TEST_F(RebuildStallTest, TakeoversDoNotKeepItUp) {
  StartTo("proving");
  engine_.next = Mode::kIsAway;
  Put("a");
  std::string message;
  for (int i = 0; i < 3 && Runs(); ++i) {
    Instance other = NewInstance(engine_);
    (void)other.rebuild->Step(fake_.Within(10'000));
    message = Task().message;
    Poll(35'000);
  }
  EXPECT_EQ(message, "the shards are away") << "of who has taken it over";
  EXPECT_EQ(Task().state, SyncTask::State::kFailed);
  EXPECT_EQ(Shown(), 1);
}

TEST_F(RebuildStallTest, WhatAnotherInstanceConfirmsWaitsForNobody) {
  StartTo("proving");
  MoodyEngine theirs(index_);
  Instance other = NewInstance(theirs);
  engine_.next = Mode::kIsAway;
  for (int i = 0; i < 30; ++i) {
    Put(std::to_string(i));
    Poll(kStepMs);
    fake_.clock().Advance(kStepMs);
    Step(*other.poll, 10'000);
    EXPECT_EQ(Waiting(), 0u);
  }
  EXPECT_TRUE(Runs());
}

// It may be in place already.
TEST_F(RebuildStallTest, OneThatIsBeingPutInPlaceIsLeftToThat) {
  StartTo("swapping");
  engine_.next = Mode::kIsAway;
  Put("a");
  Poll(300'000);
  EXPECT_TRUE(Runs());
}

// The live one is the empty one of an instance that was started meanwhile.
TEST_F(RebuildStallTest, OneOfAnIndexThatWasGoneKeepsNothingFromAnybody) {
  Put("a");
  PollAndRebuild(10'000);
  index_ = NewMemorySearchIndex(fake_.runtime());
  engine_.next = Mode::kIsAway;
  PollAndRebuild(20'000);
  ASSERT_TRUE(Runs());
  const Instance other = NewInstance(engine_);
  Put("b");
  PollAndRebuild(300'000);
  EXPECT_TRUE(Runs());
  engine_.next = Mode::kWorks;
  PollAndRebuild(120'000);
  EXPECT_EQ(Task().state, SyncTask::State::kSucceeded);
  EXPECT_EQ(Shown(), 2);
}

class MissesTest : public ::testing::Test {
 protected:
  bool MissedAfter(int64_t ms, RebuildStall::Way way = kBulk) {
    fake_.clock().Advance(ms);
    return stall_.Missed(way, task_);
  }

  static constexpr RebuildStall::Way kBulk = RebuildStall::Way::kBulk;
  static constexpr RebuildStall::Way kRefresh = RebuildStall::Way::kRefresh;

  FakeRuntime fake_;
  RebuildStall stall_{fake_.runtime(), 60'000};
  SyncTask task_{.phase = "copying", .started_ms = 1, .position = "a"};
};

TEST_F(MissesTest, CountFromTheFirst) {
  EXPECT_FALSE(MissedAfter(100'000));
  EXPECT_FALSE(MissedAfter(29'000));
  EXPECT_FALSE(MissedAfter(30'000));
  EXPECT_TRUE(MissedAfter(1'000));
}

TEST_F(MissesTest, SilenceCountsHalfAtMost) {
  EXPECT_FALSE(MissedAfter(0));
  EXPECT_FALSE(MissedAfter(600'000));
  EXPECT_FALSE(MissedAfter(29'000));
  EXPECT_TRUE(MissedAfter(1'000));
}

TEST_F(MissesTest, OfASlowIndexEndWithEachThatItTakes) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(MissedAfter(25'000));
    EXPECT_FALSE(MissedAfter(25'000));
    stall_.Took(kBulk);
  }
}

TEST_F(MissesTest, EndWithACopyThatGetsOn) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(MissedAfter(25'000));
    EXPECT_FALSE(MissedAfter(25'000));
    task_.position += "a";
  }
  EXPECT_FALSE(MissedAfter(0));
  EXPECT_FALSE(MissedAfter(30'000));
  EXPECT_TRUE(MissedAfter(30'000));
}

// A copy is no refresh: it shows nothing.
TEST_F(MissesTest, OfRefreshesGoOnWhileTheCopyGetsOn) {
  EXPECT_FALSE(MissedAfter(0, kRefresh));
  task_.position = "b";
  EXPECT_FALSE(MissedAfter(30'000, kRefresh));
  stall_.Took(kBulk);
  EXPECT_TRUE(MissedAfter(30'000, kRefresh));
}

TEST_F(MissesTest, OfARebuildBeforeDoNotCount) {
  EXPECT_FALSE(MissedAfter(0, kRefresh));
  EXPECT_FALSE(MissedAfter(30'000, kRefresh));
  task_.started_ms = 2;
  EXPECT_FALSE(MissedAfter(30'000, kRefresh));
}

TEST_F(MissesTest, TimeInWhichTheLiveOneTookNothingDoesNotCount) {
  EXPECT_FALSE(MissedAfter(0));
  EXPECT_FALSE(MissedAfter(30'000));
  stall_.LiveTookNothing();
  EXPECT_FALSE(MissedAfter(29'000));
  EXPECT_FALSE(MissedAfter(29'000));
  EXPECT_TRUE(MissedAfter(1'000));
}

}  // namespace
}  // namespace a4c::testing
