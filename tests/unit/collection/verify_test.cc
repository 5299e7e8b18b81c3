#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

TEST_F(DatabaseTest, StoreAndIndexThatAgreeHaveNoDrift) {
  Open();
  for (int i = 0; i < 50; ++i) Put("id-" + std::to_string(i), R"({"size":1})");
  Sync();
  const auto report = database_->Verify(Within(), "photo");
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->records, 50);
  EXPECT_EQ(report->mismatched_buckets, 0);
}

TEST_F(DatabaseTest, DriftOfEverySortIsFoundAndRepaired) {
  Open();
  Put("missing", R"({"title":"missing"})");
  Put("changed", R"({"title":"changed"})");
  Put("same", R"({"title":"same"})");
  Sync();
  const std::vector<Purge> purges = {{Photo("missing")}, {Photo("changed")}};
  ASSERT_TRUE(index_->Remove(Within(), purges));
  const std::vector<Document> wrong = {
      {.ref = Photo("changed"), .rev = 1, .body = R"({"title":"wrong"})"},
      {.ref = Photo("ghost"), .rev = 3, .body = R"({"title":"ghost"})"}};
  ASSERT_TRUE(index_->Bulk(Within(), wrong));
  ASSERT_TRUE(index_->Refresh(Within(), "photo"));

  const auto report = database_->Verify(Within(), "photo");
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->drift.size(), 3u);
  ASSERT_TRUE(database_->Repair(Within(), "photo", report->drift));
  for (int i = 0; i < 3; ++i) {
    fake_.clock().Advance(60'000);
    Step(*poll_);
  }
  EXPECT_EQ(Find("title:missing").size(), 1u);
  EXPECT_EQ(Find("title:changed").size(), 1u);
  EXPECT_TRUE(Find("wrong or ghost").empty());
  EXPECT_EQ(database_->Verify(Within(), "photo")->mismatched_buckets, 0);
}

// The digests read it before a purge and announced it afterwards: the sync then writes a tombstone
// that only the index would know of.
TEST_F(DatabaseTest, WhatIsAnnouncedAfterItsPurgeIsPurgedAgain) {
  Open();
  const RecordRef gone = Photo("a");
  ASSERT_TRUE(database_->Repair(Within(), "photo", std::span(&gone, 1)));
  const auto purge = database_->NewPurgeLoop("photo");
  for (int day = 0; day < 10; ++day) {
    for (int i = 0; i < 3; ++i) {
      fake_.clock().Advance(60'000);
      Step(*poll_);
    }
    EXPECT_EQ(database_->Verify(Within(), "photo")->mismatched_buckets, 0) << "day " << day;
    fake_.clock().Advance(24LL * 3'600'000);
    Step(*purge);
  }
  const auto stored = database_->Get(Within(), std::span(&gone, 1));
  ASSERT_TRUE(stored);
  EXPECT_FALSE(stored->records.at(0));
  const Document again{.ref = gone, .rev = 1, .body = "{}"};
  const auto results = index_->Bulk(Within(), std::span(&again, 1));
  EXPECT_EQ(results->at(0).outcome, BulkOutcome::kApplied) << "the index has forgotten it";
}

TEST_F(DatabaseTest, WhatIsOnItsWayIsNoDrift) {
  Open();
  Put("a", "{}");
  const auto report = database_->Verify(Within(), "photo");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->mismatched_buckets, 1);
  EXPECT_TRUE(report->drift.empty());
}

TEST_F(DatabaseTest, WhatDiffersInOneOfTwoLooksOnlyIsNoDrift) {
  Open();
  Put("late", R"({"title":"late"})");
  Sync();
  const Purge purge{Photo("late")};
  ASSERT_TRUE(index_->Remove(Within(), {&purge, 1}));
  ASSERT_TRUE(index_->Refresh(Within(), "photo"));
  store_.on_get = [this](Store& store, const Call& call, std::span<const RecordRef> refs) {
    const Document now{.ref = Photo("late"), .rev = 1, .body = R"({"title":"late"})"};
    EXPECT_TRUE(index_->Bulk(call, {&now, 1}));
    EXPECT_TRUE(index_->Refresh(call, "photo"));
    return store.Get(call, refs);
  };
  const auto report = database_->Verify(Within(), "photo");
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->mismatched_buckets, 1);
  EXPECT_TRUE(report->drift.empty());
}

// It differs when the store is read, and nothing of it is on its way: the index was read before.
TEST_F(DatabaseTest, WhatIsChangedAndConfirmedDuringTheSecondLookIsNoDrift) {
  Open();
  Put("busy", R"({"size":1})");
  Sync();
  const Purge purge{Photo("busy")};
  ASSERT_TRUE(index_->Remove(Within(), {&purge, 1}));
  ASSERT_TRUE(index_->Refresh(Within(), "photo"));
  store_.on_get = [this](Store& store, const Call& call, std::span<const RecordRef> refs) {
    if (refs.front().kind == "photo") {
      store_.on_get = nullptr;
      Put("busy", R"({"size":2})", Expect::Rev(1));
      Sync();
    }
    return store.Get(call, refs);
  };
  const auto report = database_->Verify(Within(), "photo");
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_FALSE(store_.on_get);
  EXPECT_EQ(report->mismatched_buckets, 1);
  EXPECT_TRUE(report->drift.empty());
}

TEST_F(DatabaseTest, AProofThatEndsBeforeItsSecondLookIsNone) {
  Open();
  Put("missing", "{}");
  Sync();
  const Purge purge{Photo("missing")};
  ASSERT_TRUE(index_->Remove(Within(), {&purge, 1}));
  ASSERT_TRUE(index_->Refresh(Within(), "photo"));
  const auto report = database_->Verify(Within(1), "photo");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), Code::kTimeout);
}

TEST_F(DatabaseTest, MoreDriftThanAProofHoldsIsFoundByTheNext) {
  constexpr int64_t kMost = 100'000;
  Open();
  std::vector<Document> ghosts;
  for (int64_t i = 0; i < kMost + 7; ++i) {
    ghosts.push_back({.ref = Photo("ghost-" + std::to_string(i)), .rev = 3, .body = "{}"});
  }
  ASSERT_TRUE(index_->Bulk(Within(), ghosts));
  ASSERT_TRUE(index_->Refresh(Within(), "photo"));
  const auto verify = database_->NewVerifyLoop("photo");
  Step(*verify, 10'000);
  auto task = database_->FindTask(Within(), "photo", SyncWork::kVerify);
  ASSERT_TRUE(task && *task);
  EXPECT_EQ((*task)->state, SyncTask::State::kRunning);
  EXPECT_EQ((*task)->drift, kMost);
  Step(*verify, 10'000);
  task = database_->FindTask(Within(), "photo", SyncWork::kVerify);
  ASSERT_TRUE(task && *task);
  EXPECT_EQ((*task)->state, SyncTask::State::kSucceeded);
  EXPECT_EQ((*task)->drift, kMost + 7);
  EXPECT_EQ((*task)->proved_ms, 0);
}

TEST_F(DatabaseTest, ATombstoneIsPurgedAfterAWeekAndNotBefore) {
  Open();
  Put("a", "{}");
  Put("a", "{}", Expect::Rev(1), true);
  Sync();
  const auto purge = database_->NewPurgeLoop("photo");
  fake_.clock().Advance(6LL * 24 * 3'600'000);
  Step(*purge);
  EXPECT_TRUE(Read("a"));
  fake_.clock().Advance(2LL * 24 * 3'600'000);
  Step(*purge);
  EXPECT_FALSE(Read("a"));
}

TEST_F(DatabaseTest, ATombstoneThatIsNotConfirmedIsKept) {
  Open();
  Put("a", "{}");
  Put("a", "{}", Expect::Rev(1), true);
  const auto purge = database_->NewPurgeLoop("photo");
  fake_.clock().Advance(30LL * 24 * 3'600'000);
  Step(*purge);
  EXPECT_TRUE(Read("a"));
}

// More of them than a page of markers holds, and older.
TEST_F(DatabaseTest, RecordsThatLiveAgainOrWaitKeepNoOthersFromBeingPurged) {
  Open();
  constexpr int kRevived = 600;
  constexpr int kWaiting = 600;
  const auto id = [](int number) { return "id-" + std::to_string(10'000 + number); };
  for (int i = 0; i < kRevived + kWaiting; ++i) {
    Put(id(i), "{}", Expect::Absent(), true);
    if (i < kRevived) Put(id(i), "{}", Expect::Rev(1));
  }
  fake_.clock().Advance(60'000);
  Put("z", "{}", Expect::Absent(), true);
  const RecordRef confirmed = PhotoRow("z");
  const WriteBatch confirm{{Delete{.ref = confirmed}}};
  ASSERT_TRUE(store_.Apply(Within(), std::span(&confirm, 1)));
  const auto purge = database_->NewPurgeLoop("photo");
  fake_.clock().Advance(8LL * 24 * 3'600'000);
  for (int i = 0; i < 3; ++i) Step(*purge, 10'000);
  EXPECT_FALSE(Read("z"));
  EXPECT_TRUE(Read(id(0)));
  EXPECT_TRUE(Read(id(kRevived))) << "it is on its way to the index";
  const auto markers = database_->Scan(Within(), {.kind = "photo_tombstone", .limit = 1000});
  ASSERT_TRUE(markers);
  EXPECT_EQ(markers->records.size(), static_cast<size_t>(kWaiting));
}

// It was read as living, and is deleted before its marker goes.
TEST_F(DatabaseTest, TheMarkerOfWhatIsDeletedAgainStays) {
  Open();
  Put("a", "{}", Expect::Absent(), true);
  Put("a", "{}", Expect::Rev(1));
  const auto purge = database_->NewPurgeLoop("photo");
  fake_.clock().Advance(8LL * 24 * 3'600'000);
  AfterPhotosAreRead([&](Store&, Result<GetAnswer>&) { Put("a", "{}", Expect::Rev(2), true); });
  Step(*purge);
  Sync();
  fake_.clock().Advance(8LL * 24 * 3'600'000);
  Step(*purge);
  EXPECT_FALSE(Read("a"));
}

TEST_F(DatabaseTest, IdempotencyKeysAreForgottenAfterADay) {
  Open();
  const Commit commit{.changes = {{.ref = Photo("a")}},
                      .idempotency = Idempotency{"s", "k", "h", "x"}};
  ASSERT_TRUE(database_->Write(Within(), commit));
  const auto purge = database_->NewPurgeLoop("photo");
  fake_.clock().Advance(23 * 3'600'000);
  Step(*purge);
  EXPECT_EQ(database_->Write(Within(), commit)->outcome, Committed::Outcome::kReplayed);
  fake_.clock().Advance(2 * 3'600'000);
  Step(*purge);
  EXPECT_EQ(database_->Write(Within(), commit)->outcome, Committed::Outcome::kConflict);
}

// Tombstones and the outbox wait for an index; keys need none.
TEST_F(DatabaseTest, IdempotencyKeysAreForgottenWithoutAnIndexToo) {
  index_ = nullptr;
  Open(false);
  Put("a", "{}", Expect::Absent(), true);
  const Commit commit{.changes = {{.ref = Photo("b")}},
                      .idempotency = Idempotency{"s", "k", "h", "x"}};
  ASSERT_TRUE(database_->Write(Within(), commit));
  const auto purge = database_->NewPurgeLoop("photo");
  ASSERT_NE(purge, nullptr);
  fake_.clock().Advance(8LL * 24 * 3'600'000);
  Step(*purge);
  EXPECT_EQ(database_->Write(Within(), commit)->outcome, Committed::Outcome::kConflict);
  EXPECT_TRUE(Read("a"));
}

}  // namespace
}  // namespace a4c::testing
