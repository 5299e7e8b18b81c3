// Somebody deletes the search index, or takes it from what is live, while instances run.
#include <algorithm>
#include <array>

#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

// An index that can be deleted: what is behind it becomes a new one, which has nothing.
class DeletableIndex final : public SearchIndex {
 public:
  explicit DeletableIndex(const Runtime& runtime) : runtime_(runtime) { Delete(); }
  void Delete() { index_ = NewMemorySearchIndex(runtime_); }

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return index_->Ensure(call, kinds);
  }
  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    return index_->Bulk(call, documents);
  }
  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    return index_->Remove(call, purges);
  }
  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    return index_->Search(call, request);
  }
  Result<void> Refresh(const Call& call, const std::string& kind) override {
    return index_->Refresh(call, kind);
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == Rebuild::kExtension) return index_->As<Rebuild>();
    if (name == Digests::kExtension) return index_->As<Digests>();
    return nullptr;
  }

 private:
  const Runtime runtime_;
  std::unique_ptr<SearchIndex> index_;
};

constexpr const char* kGone = "the search index is gone: it is rebuilt from the store";

class IndexLostTest : public DatabaseTest {
 protected:
  struct Instance {
    std::unique_ptr<Database> database;
    std::unique_ptr<Loop> poll, rebuild, status;
  };

  void SetUp() override {
    for (Instance& one : instances_) {
      one.database =
          std::make_unique<Database>(Backends{.store = store_, .index = &lost_}, fake_.runtime());
      ASSERT_TRUE(one.database->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
      one.poll = one.database->NewPollLoop("photo");
      one.rebuild = one.database->NewRebuildLoop("photo");
      one.status = one.database->NewStatusLoop("photo");
    }
    for (int i = 0; i < 30; ++i) Put(std::to_string(i), R"({"album":"pier"})");
    Poll();
    for (int i = 0; i < 5; ++i) Put(std::to_string(i), "{}", Expect::Rev(1), true);
    Poll();
    for (Instance& one : instances_) Step(*one.rebuild);
    ASSERT_EQ(Count(), 25);
  }

  Database& first() { return *instances_[0].database; }

  void Put(const std::string& id, const std::string& body, Expect expect = Expect::Absent(),
           bool tombstone = false) {
    ASSERT_TRUE(first().Write(
        Within(),
        {.changes = {{.ref = Photo(id), .body = body, .tombstone = tombstone, .expect = expect}}}));
  }

  // Steps that may fail while the index is gone.
  void Poll() {
    fake_.clock().Advance(20'000);
    for (Instance& one : instances_) (void)one.poll->Step(fake_.Within(10'000));
  }

  int64_t Count() {
    const auto found = first().Search(Within(), {.request = {.kind = PhotoKind()}});
    return found ? found->answer.total : -1;
  }

  std::optional<SyncTask> Task() {
    return *first().FindTask(Within(), "photo", SyncWork::kRebuild);
  }

  bool Ended() { return Task() && Task()->state != SyncTask::State::kRunning; }

  // Steps all loops of all instances, time passing, until a rebuild has ended.
  void StepToEnd() {
    for (int i = 0; i < 20 && !Ended(); ++i) {
      for (Instance& one : instances_) Step(*one.rebuild, 10'000);
      Poll();
    }
    ASSERT_TRUE(Ended());
    EXPECT_EQ(Task()->state, SyncTask::State::kSucceeded) << Task()->message;
  }

  size_t Outbox() { return first().Scan(Within(), {.kind = "photo_outbox"})->records.size(); }

  double Ready() {
    Step(*instances_[0].status);
    return fake_.metrics().GaugeOf(R"(a4c_index_ready{kind="photo"})");
  }

  std::string Trouble() { return first().Status(Within(), "photo")->index_trouble; }

  DeletableIndex lost_{fake_.runtime()};
  std::array<Instance, 2> instances_;
};

TEST_F(IndexLostTest, ComesBackFromTheStoreWithAllThatWasWrittenMeanwhile) {
  EXPECT_EQ(Ready(), 1);
  lost_.Delete();
  EXPECT_EQ(Ready(), 0);
  EXPECT_NE(Trouble().find("the index is gone"), std::string::npos) << Trouble();
  Put("late", R"({"album":"pier"})");
  Put("29", "{}", Expect::Rev(1), true);
  Poll();
  EXPECT_EQ(Outbox(), 2u) << "nothing is confirmed, and nothing becomes a dead letter";
  EXPECT_EQ(first().Status(Within(), "photo")->dead_letters, 0);
  ASSERT_NO_FATAL_FAILURE(StepToEnd());
  EXPECT_EQ(Outbox(), 0u);
  EXPECT_EQ(Count(), 25);
  EXPECT_EQ(first().Verify(Within(), "photo")->mismatched_buckets, 0);
  EXPECT_EQ(Trouble(), "");
  EXPECT_EQ(Ready(), 1);
  EXPECT_EQ(fake_.log().CountOf(kGone, LogLevel::kWarning), 1) << "of two instances";
}

// Also where nothing waits for a refresh, which would fail: /readyz?role=sync stayed green.
TEST_F(IndexLostTest, TheSyncSaysSo) {
  Database database({.store = store_, .bus = bus_.get(), .index = &lost_}, fake_.runtime());
  ASSERT_TRUE(database.Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
  const auto sync = database.NewSyncLoop("photo");
  lost_.Delete();
  ASSERT_TRUE(database.Write(Within(), {.changes = {{.ref = Photo("late"), .body = "{}"}}}));
  const auto step = sync->Step(Within(2'000));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code(), Code::kNotFound) << step.error().ToString();
}

// A late write of what was deleted meets the tombstone, as before.
TEST_F(IndexLostTest, ADeletedRecordStaysDeleted) {
  lost_.Delete();
  fake_.clock().Advance(20'000);
  ASSERT_NO_FATAL_FAILURE(StepToEnd());
  const Document late{.ref = Photo("0"), .rev = 1, .body = R"({"album":"pier"})"};
  const auto results = lost_.Bulk(Within(), std::span(&late, 1));
  ASSERT_TRUE(results);
  EXPECT_EQ((*results)[0].outcome, BulkOutcome::kStale);
}

// Not even after a time: a search that misses it, or a change that cannot be written, is enough.
TEST_F(IndexLostTest, WhoMissesItHasItLookedForAtOnce) {
  lost_.Delete();
  for (Instance& one : instances_) Step(*one.rebuild);
  EXPECT_FALSE(Task()) << "nobody has missed it";
  const auto found = first().Search(Within(), {.request = {.kind = PhotoKind()}});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Code::kUnavailable);
  Step(*instances_[0].rebuild);
  ASSERT_TRUE(Task());
  EXPECT_EQ(Task()->state, SyncTask::State::kRunning);
}

TEST_F(IndexLostTest, AnInstanceThatStartsMeanwhileDoesNoHarm) {
  lost_.Delete();
  fake_.clock().Advance(20'000);
  Step(*instances_[0].rebuild);
  ASSERT_TRUE(Task());
  Database other({.store = store_, .index = &lost_}, fake_.runtime());
  ASSERT_TRUE(other.Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
  Put("late", R"({"album":"pier"})");
  ASSERT_NO_FATAL_FAILURE(StepToEnd());
  EXPECT_EQ(Count(), 26);
  EXPECT_EQ(first().Verify(Within(), "photo")->mismatched_buckets, 0);
}

TEST_F(IndexLostTest, IsRebuiltAgainIfItIsDeletedDuringThat) {
  lost_.Delete();
  fake_.clock().Advance(20'000);
  for (int i = 0; i < 10 && !(Task() && Task()->phase == "proving"); ++i) {
    Step(*instances_[0].rebuild, 10'000);
  }
  ASSERT_TRUE(Task());
  ASSERT_EQ(Task()->phase, "proving");
  lost_.Delete();
  Step(*instances_[0].rebuild, 10'000);
  ASSERT_EQ(Task()->state, SyncTask::State::kFailed);
  for (Instance& one : instances_) Step(*one.rebuild, 10'000);
  EXPECT_EQ(Task()->state, SyncTask::State::kFailed) << "not again and again";
  fake_.clock().Advance(60'000);
  Step(*instances_[1].rebuild, 10'000);
  EXPECT_EQ(Task()->state, SyncTask::State::kRunning);
  ASSERT_NO_FATAL_FAILURE(StepToEnd());
  EXPECT_EQ(Count(), 25);
}

}  // namespace
}  // namespace a4c::testing
