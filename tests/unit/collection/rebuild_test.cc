#include "a4c/rebuild.h"

#include <algorithm>

#include "a4c/digests.h"
#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

class RebuildTest : public DatabaseTest {
 protected:
  void Open(bool with_bus = false) {
    DatabaseTest::Open(with_bus);
    rebuild_ = database_->NewRebuildLoop("photo");
  }

  SyncTask Start() {
    const auto started = database_->StartTask(Within(), "photo", SyncWork::kRebuild);
    EXPECT_TRUE(started) << started.error().ToString();
    return started ? *started : SyncTask{};
  }

  SyncTask Task() {
    const auto found = database_->FindTask(Within(), "photo", SyncWork::kRebuild);
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : SyncTask{};
  }

  // Steps the loop until the task is in this phase, at most so often.
  void StepTo(const std::string& phase) {
    for (int i = 0; i < 20 && Task().phase != phase; ++i) Step(*rebuild_, 10'000);
    EXPECT_EQ(Task().phase, phase);
  }

  // Steps rebuild and poller, time passing, until the task has ended.
  SyncTask Finish() {
    for (int i = 0; i < 20 && Task().state == SyncTask::State::kRunning; ++i) {
      Step(*rebuild_, 10'000);
      fake_.clock().Advance(60'000);
      Step(*poll_, 10'000);
    }
    return Task();
  }

  void Poll() {
    fake_.clock().Advance(60'000);
    Step(*poll_, 10'000);
  }

  std::vector<IndexGeneration> Generations() {
    return *index_->As<Rebuild>()->Generations(Within(), PhotoKind());
  }

  std::unique_ptr<Loop> rebuild_;
};

TEST_F(RebuildTest, FillsANewGenerationAndPutsItInPlace) {
  Open();
  for (int i = 0; i < 30; ++i) Put("id-" + std::to_string(i), R"({"album":"pier"})");
  Poll();
  // What only the old generation holds does not come along.
  const Document ghost{.ref = Photo("ghost"), .rev = 1, .body = R"({"album":"pier"})"};
  ASSERT_TRUE(index_->Bulk(Within(), std::span(&ghost, 1)));
  Start();
  EXPECT_EQ(Finish().state, SyncTask::State::kSucceeded);
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{1, false}, {2, true}}));
  EXPECT_EQ(Find("album:pier").size(), 30u);
  EXPECT_EQ(database_->Verify(Within(), "photo")->mismatched_buckets, 0);
}

TEST_F(RebuildTest, ASecondStartIsAConflictWhileItRuns) {
  Open();
  Start();
  const auto again = database_->StartTask(Within(), "photo", SyncWork::kRebuild);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kConflict);
  Finish();
  EXPECT_EQ(Start().generation, 3);
}

// Confirmed means searchable, also right after the swap: so both are written meanwhile.
TEST_F(RebuildTest, AChangeThatIsConfirmedDuringTheCopyIsInBothGenerations) {
  Open();
  Put("a", R"({"size":1})");
  Poll();
  Start();
  StepTo("proving");  // a was copied with size 1
  Put("a", R"({"size":2})", Expect::Rev(1));
  Put("b", R"({"size":2})");
  Poll();
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(Find("size:2").size(), 2u);
  StepTo("settling");
  EXPECT_EQ(Find("size:2").size(), 2u);
}

// A sync that has read rev 1 is overtaken by rev 2, which one generation alone has taken so far.
// (Found by the simulation, ground rebuild, seed 125.)
TEST_F(RebuildTest, WhatOneOfTwoGenerationsHoldsIsNotCalledConfirmed) {
  for (const int64_t ahead : {1, 2}) {
    Open(true);
    const std::string id = "a" + std::to_string(ahead);
    Put(id, R"({"size":1})");
    const int64_t next = Start().generation;
    StepTo("proving");
    AfterPhotosAreRead([&](Store&, Result<GetAnswer>&) {
      Put(id, R"({"size":2})", Expect::Rev(1));
      const Document document{.ref = Photo(id), .rev = 2, .body = R"({"size":2})"};
      const int64_t number = ahead == 1 ? next - 1 : next;
      const auto index = index_->As<Rebuild>()->Open(Within(), PhotoKind(), number);
      ASSERT_TRUE((*index)->Bulk(Within(), std::span(&document, 1)));
    });
    Poll();
    ASSERT_EQ(Outbox().size(), 1u);
    if (ahead == 1) StepTo("settling");
    const auto found =
        database_->Search(Within(), {.request = {.kind = PhotoKind()}, .tokens = {{Photo(id), 2}}});
    ASSERT_TRUE(found) << found.error().ToString();
    EXPECT_FALSE(found->fresh) << "while the index shows rev " << found->answer.hits.back().rev;
    Finish();
  }
}

// It had read that nothing is being rebuilt, and confirms when the copy is over.
TEST_F(RebuildTest, ASyncThatDoesNotKnowOfTheRebuildLosesNothing) {
  Open();
  Put("a", R"({"size":1})");
  Poll();
  Put("a", R"({"size":2})", Expect::Rev(1));
  bool began = false;
  store_.on_apply = [&](Store& store, const Call& call, std::span<const WriteBatch> batches) {
    if (!began && std::holds_alternative<Delete>(batches[0].ops[0])) {
      began = true;
      Start();
      StepTo("proving");
    }
    return store.Apply(call, batches);
  };
  Poll();
  EXPECT_TRUE(began);
  EXPECT_TRUE(Outbox().empty());
  StepTo("settling");
  EXPECT_EQ(Find("size:2").size(), 1u);
}

// A sync has written a change to both generations. Another loop, which knows of no rebuild, has the
// live one refreshed; then they are swapped, before the first loop writes what it has read. That
// refresh shows nothing of what is live by now.
TEST_F(RebuildTest, ARefreshBeforeTheSwapConfirmsNothingAfterIt) {
  HookedIndex index(*index_);
  database_ = std::make_unique<Database>(
      Backends{.store = store_, .bus = bus_.get(), .index = &index}, fake_.runtime());
  ASSERT_TRUE(database_->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
  sync_ = database_->NewSyncLoop("photo");
  poll_ = database_->NewPollLoop("photo");
  rebuild_ = database_->NewRebuildLoop("photo");
  // The other loop has something to confirm from before the rebuild.
  Put("b", R"({"size":1})");
  fake_.clock().Advance(60'000);
  index.on_refresh = [] { return Error(Code::kUnavailable, "not now"); };
  EXPECT_FALSE(poll_->Step(Within()));
  index.on_refresh = nullptr;
  Start();
  StepTo("swapping");  // proven, and refreshed for that
  Put("a", R"({"size":2})");
  Step(*sync_);
  Put("c", R"({"size":2})");
  bool swapped = false;
  AfterPhotosAreRead([&](Store&, Result<GetAnswer>&) {
    Step(*poll_);
    EXPECT_EQ(Find("size:2"), std::vector<std::string>{"a"}) << "in the old generation";
    StepTo("settling");
    EXPECT_TRUE(Find("size:2").empty()) << "nobody has refreshed the new one since";
    swapped = true;
  });
  Step(*sync_);
  ASSERT_TRUE(swapped);
  Step(*sync_);
  const std::vector<Record> rows = Outbox();
  EXPECT_EQ(std::ranges::count(rows, PhotoRow("a"), &Record::ref), 1)
      << "confirmed, while searches do not show it";
  Sync();
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(Find("size:2").size(), 2u);
  sync_.reset();
  poll_.reset();
  rebuild_.reset();
  database_.reset();
}

TEST_F(RebuildTest, ACrashGoesOnWhereItWas) {
  Open();
  for (int i = 0; i < 1200; ++i) Put("id-" + std::to_string(10'000 + i), "{}");
  Start();
  StepTo("copying");
  int scans = 0;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    const auto* put = std::get_if<a4c::Put>(&batches[0].ops[0]);
    if (put != nullptr && put->ref.kind == "sync_task" && ++scans > 1) {
      return Error(Code::kUnavailable, "the process is gone");
    }
    return store.Apply(call, batches);
  };
  fake_.clock().Advance(2'000);
  EXPECT_FALSE(rebuild_->Step(fake_.Within(10'000)));
  store_.on_apply = {};
  const SyncTask left = Task();
  EXPECT_EQ(left.phase, "copying");
  EXPECT_EQ(left.done, 500);
  EXPECT_FALSE(left.position.empty());

  // Another instance takes it over when the lease is over, and not before.
  const auto other = database_->NewRebuildLoop("photo");
  Step(*other, 10'000);
  EXPECT_EQ(Task().done, 500);
  fake_.clock().Advance(31'000);
  Step(*other, 10'000);
  EXPECT_EQ(Task().done, 1200);
  rebuild_ = database_->NewRebuildLoop("photo");
  fake_.clock().Advance(31'000);
  EXPECT_EQ(Finish().state, SyncTask::State::kSucceeded);
}

TEST_F(RebuildTest, WhoWasTakenOverCannotSave) {
  Open();
  for (int i = 0; i < 600; ++i) Put("id-" + std::to_string(10'000 + i), "{}");
  Start();
  StepTo("copying");
  bool taken = false;
  store_.on_apply = [&](Store& store, const Call& call, std::span<const WriteBatch> batches) {
    const auto* put = std::get_if<a4c::Put>(&batches[0].ops[0]);
    if (!taken && put != nullptr && put->ref.kind == "sync_task" && put->body) {
      taken = true;
      const WriteBatch meanwhile{
          {a4c::Put{.ref = put->ref, .body = R"({"state":"canceled"})", .expect = put->expect}}};
      EXPECT_TRUE(store.Apply(call, std::span(&meanwhile, 1)));
    }
    return store.Apply(call, batches);
  };
  Step(*rebuild_, 10'000);
  EXPECT_TRUE(taken);
  EXPECT_EQ(Task().state, SyncTask::State::kCanceled);
}

TEST_F(RebuildTest, ACanceledOneIsDroppedAndNobodyWritesToIt) {
  Open();
  Put("a", "{}");
  Poll();
  Start();
  StepTo("proving");
  ASSERT_TRUE(database_->CancelTask(Within(), "photo", SyncWork::kRebuild));
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{1, true}}));
  Put("b", "{}");
  Poll();
  Poll();
  EXPECT_TRUE(Outbox().empty());
  const auto again = database_->CancelTask(Within(), "photo", SyncWork::kRebuild);
  EXPECT_EQ(again.error().code(), Code::kConflict);
}

TEST_F(RebuildTest, TheOldGenerationIsKeptUntilItIsDropped) {
  Open();
  Put("a", "{}");
  Start();
  Finish();
  EXPECT_EQ(Generations().size(), 2u);
  EXPECT_EQ(*database_->DropOldGenerations(Within(), "photo"), 1);
  EXPECT_EQ(Generations(), (std::vector<IndexGeneration>{{2, true}}));
  EXPECT_EQ(*database_->DropOldGenerations(Within(), "photo"), 0);
}

TEST_F(RebuildTest, AGenerationThatIsBeingFilledIsNotDropped) {
  Open();
  Start();
  StepTo("copying");
  EXPECT_EQ(*database_->DropOldGenerations(Within(), "photo"), 0);
  EXPECT_EQ(Generations().size(), 2u);
}

// The proof finds what the copy missed, whatever the reason, before anybody searches it.
TEST_F(RebuildTest, WhatTheNewGenerationLacksIsFoundBeforeTheSwap) {
  Open();
  Put("a", R"({"title":"pier"})");
  Poll();
  Start();
  StepTo("proving");
  const auto next = *index_->As<Rebuild>()->Open(Within(), PhotoKind(), 2);
  const Purge purge{Photo("a")};
  ASSERT_TRUE(next->Remove(Within(), std::span(&purge, 1)));
  Step(*rebuild_, 10'000);
  EXPECT_EQ(Task().phase, "proving");
  EXPECT_EQ(Task().drift, 1);
  EXPECT_EQ(Finish().state, SyncTask::State::kSucceeded);
  EXPECT_EQ(Find("pier").size(), 1u);
}

TEST_F(RebuildTest, ADocumentThatTheNewGenerationRefusesBecomesADeadLetterAndStopsNobody) {
  Open();
  Put("bad", R"({"size":"no number"})");
  Put("good", R"({"size":1})");
  Start();
  EXPECT_EQ(Finish().state, SyncTask::State::kSucceeded);
  EXPECT_EQ(Find("size:1").size(), 1u);
  for (int i = 0; i < 6; ++i) Poll();
  EXPECT_EQ(database_->DeadLetters(Within(), "photo")->letters.size(), 1u);
}

TEST_F(RebuildTest, DeletedRecordsStayDeleted) {
  Open();
  Put("a", R"({"title":"pier"})");
  Put("a", "{}", Expect::Rev(1), true);
  Poll();
  Start();
  EXPECT_EQ(Finish().state, SyncTask::State::kSucceeded);
  // A write of the living record that was long on its way.
  const Document late{.ref = Photo("a"), .rev = 1, .body = R"({"title":"pier"})"};
  EXPECT_EQ(index_->Bulk(Within(), std::span(&late, 1))->at(0).outcome, BulkOutcome::kStale);
  EXPECT_TRUE(Find("pier").empty());
}

TEST_F(RebuildTest, TombstonesAreNotPurgedMeanwhile) {
  Open();
  Put("a", "{}");
  Put("a", "{}", Expect::Rev(1), true);
  Poll();
  fake_.clock().Advance(8LL * 24 * 3'600'000);
  Start();
  StepTo("copying");
  const auto purge = database_->NewPurgeLoop("photo");
  Step(*purge);
  EXPECT_TRUE(Read("a"));
  Finish();
  Step(*purge);
  EXPECT_FALSE(Read("a"));
}

TEST_F(RebuildTest, AnIndexWithAnotherMappingIsRebuiltWhileTheServiceRuns) {
  Kind old = PhotoKind();
  old.fields[2].type = FieldType::kKeyword;  // size
  ASSERT_TRUE(index_->Ensure(Within(), std::span(&old, 1)));
  Open();
  Put("a", R"({"size":1})");
  const auto status = database_->Status(Within(), "photo");
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_NE(status->index_trouble.find("another type"), std::string::npos);
  fake_.clock().Advance(60'000);
  EXPECT_FALSE(poll_->Step(fake_.Within(10'000)));
  EXPECT_EQ(Outbox().size(), 1u);
  EXPECT_EQ(database_->Search(Within(), {.request = {.kind = PhotoKind()}}).error().code(),
            Code::kUnavailable);
  Start();
  for (int i = 0; i < 6; ++i) Step(*rebuild_, 10'000);
  EXPECT_EQ(Finish().state, SyncTask::State::kSucceeded);
  EXPECT_EQ(Find("size:1").size(), 1u);
  EXPECT_TRUE(database_->Status(Within(), "photo")->index_trouble.empty());
}

}  // namespace
}  // namespace a4c::testing
