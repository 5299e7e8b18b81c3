// Verify, repair and the status of the sync, as operators ask for them.
#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

class TasksTest : public DatabaseTest {
 protected:
  SyncTask Task(SyncWork work) {
    const auto found = database_->FindTask(Within(), "photo", work);
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : SyncTask{};
  }
  SyncStatus Status() {
    const auto status = database_->Status(Within(), "photo");
    EXPECT_TRUE(status) << status.error().ToString();
    return status ? *status : SyncStatus{};
  }
  void Poll(int times = 1) {
    for (int i = 0; i < times; ++i) {
      fake_.clock().Advance(60'000);
      Step(*poll_);
    }
  }
  void Lose(const std::string& id) {
    const Purge purge{Photo(id)};
    ASSERT_TRUE(index_->Remove(Within(), std::span(&purge, 1)));
    ASSERT_TRUE(index_->Refresh(Within(), "photo"));
  }
};

TEST_F(TasksTest, AVerifyThatWasAskedForReportsDriftAndRepairsIt) {
  Open(false);
  Put("lost", R"({"title":"pier"})");
  Put("kept", "{}");
  Poll();
  const auto verify = database_->NewVerifyLoop("photo");
  Step(*verify, 10'000);
  EXPECT_EQ(Task(SyncWork::kVerify).drift, 0);
  const int64_t proved = Status().proved_ms;
  EXPECT_GT(proved, 0);
  Lose("lost");
  ASSERT_TRUE(database_->StartTask(Within(), "photo", SyncWork::kVerify));
  Step(*verify, 10'000);
  const SyncTask found = Task(SyncWork::kVerify);
  EXPECT_EQ(found.state, SyncTask::State::kSucceeded);
  EXPECT_EQ(found.drift, 1);
  EXPECT_EQ(found.examples, (std::vector<RecordRef>{Photo("lost")}));
  EXPECT_EQ(found.done, 2);
  EXPECT_EQ(Status().proved_ms, proved);
  Poll();
  EXPECT_EQ(Find("pier").size(), 1u);
  fake_.clock().Advance(11 * 60'000);
  Step(*verify, 10'000);
  EXPECT_GT(Status().proved_ms, proved);
}

TEST_F(TasksTest, AProofMayTakeAPeriodOfThemAndTenMinutesAtLeast) {
  constexpr int64_t kMinuteMs = 60'000;
  for (const auto& [period_ms, may_take_ms] :
       {std::pair(kMinuteMs, 10 * kMinuteMs), std::pair(60 * kMinuteMs, 60 * kMinuteMs)}) {
    Open(false, {.verify_period_ms = period_ms});
    const std::string id = std::to_string(period_ms);
    Put(id, "{}");
    Poll();
    Lose(id);
    int64_t left_ms = 0;
    store_.on_get = [&](Store& store, const Call& call, std::span<const RecordRef> refs) {
      if (!refs.empty() && refs[0].kind == "photo") left_ms = std::max(left_ms, call.RemainingMs());
      return store.Get(call, refs);
    };
    ASSERT_TRUE(database_->StartTask(Within(), "photo", SyncWork::kVerify));
    Step(*database_->NewVerifyLoop("photo"), 10'000);
    store_.on_get = nullptr;
    EXPECT_EQ(Task(SyncWork::kVerify).drift, 1);
    EXPECT_GT(left_ms, may_take_ms * 9 / 10);
    EXPECT_LE(left_ms, may_take_ms);
    Poll();
  }
}

TEST_F(TasksTest, OfManyInstancesOneVerifiesInAPeriod) {
  Open(false);
  const auto one = database_->NewVerifyLoop("photo");
  const auto other = database_->NewVerifyLoop("photo");
  Step(*one, 10'000);
  const int64_t ended = Task(SyncWork::kVerify).ended_ms;
  fake_.clock().Advance(60'000);
  Step(*other, 10'000);
  EXPECT_EQ(Task(SyncWork::kVerify).ended_ms, ended);
  fake_.clock().Advance(10 * 60'000);
  Step(*other, 10'000);
  EXPECT_GT(Task(SyncWork::kVerify).ended_ms, ended);
}

// A store tells of each batch what became of it, in an answer that is none of failure.
TEST_F(TasksTest, WhatTheStoreDidNotApplyIsAnnouncedAndRevivedAgain) {
  Open(false);
  for (const char* id : {"a", "b"}) Put(id, "{}");
  Poll();
  BatchOutcome outcome = BatchOutcome::kNotApplied;
  bool fails = true;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    const auto* put = std::get_if<a4c::Put>(&batches[0].ops[0]);
    if (put == nullptr || put->ref.kind != "photo_outbox" || !fails) {
      return store.Apply(call, batches);
    }
    ApplyAnswer answer = AllUnknown(batches.size());
    for (BatchResult& result : answer.results) result.outcome = outcome;
    return answer;
  };
  for (const BatchOutcome how : {BatchOutcome::kNotApplied, BatchOutcome::kUnknown}) {
    outcome = how;
    fails = true;
    ASSERT_TRUE(database_->StartTask(Within(), "photo", SyncWork::kRepair));
    const auto repair = database_->NewRepairLoop("photo");
    EXPECT_FALSE(repair->Step(fake_.Within(10'000)));
    EXPECT_EQ(Task(SyncWork::kRepair).state, SyncTask::State::kRunning);
    fails = false;
    Step(*repair, 10'000);
    EXPECT_EQ(Task(SyncWork::kRepair).state, SyncTask::State::kSucceeded);
    EXPECT_EQ(Outbox().size(), 2u);
    Poll();
  }
}

TEST_F(TasksTest, WhatCannotBeDoneFailsWithItsReasonAndWhatMayPassIsTriedAgain) {
  Open(false);
  ASSERT_TRUE(database_->StartTask(Within(), "photo", SyncWork::kRepair));
  const auto repair = database_->NewRepairLoop("photo");
  int failures = 1;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    const auto* put = std::get_if<a4c::Put>(&batches[0].ops[0]);
    if (put != nullptr && put->ref.kind == "photo_outbox" && failures-- > 0) {
      return Error(Code::kUnavailable, "no primary");
    }
    return store.Apply(call, batches);
  };
  Put("a", "{}");
  Poll();
  failures = 1;
  EXPECT_FALSE(repair->Step(fake_.Within(10'000)));
  EXPECT_EQ(Task(SyncWork::kRepair).message, "no primary");
  EXPECT_EQ(Task(SyncWork::kRepair).state, SyncTask::State::kRunning);
  Step(*repair, 10'000);
  EXPECT_EQ(Task(SyncWork::kRepair).state, SyncTask::State::kSucceeded);
}

TEST_F(TasksTest, RepairSendsEveryRecordThroughTheSyncAgain) {
  Open(false);
  for (int i = 0; i < 1100; ++i) Put("id-" + std::to_string(10'000 + i), R"({"album":"x"})");
  Poll();
  for (int i = 0; i < 1100; ++i) Lose("id-" + std::to_string(10'000 + i));
  EXPECT_TRUE(Find("album:x").empty());
  ASSERT_TRUE(database_->StartTask(Within(), "photo", SyncWork::kRepair));
  const auto repair = database_->NewRepairLoop("photo");
  Step(*repair, 10'000);
  EXPECT_EQ(Task(SyncWork::kRepair).done, 1100);
  Poll();
  EXPECT_EQ(index_->Search(Within(), {.kind = PhotoKind()})->total, 1100);
}

TEST_F(TasksTest, StatusCountsWhatIsOnItsWayAndHowLongItHasBeen) {
  Open();
  EXPECT_EQ(Status().outbox_rows, 0);
  EXPECT_EQ(Status().lag_ms, 0);
  Put("a", "{}");
  fake_.clock().Advance(5'000);
  Put("b", "{}");
  const SyncStatus status = Status();
  EXPECT_EQ(status.outbox_rows, 2);
  EXPECT_FALSE(status.outbox_rows_more);
  EXPECT_EQ(status.lag_ms, 5'000);
  EXPECT_EQ(status.generations, (std::vector<IndexGeneration>{{1, true}}));
}

TEST_F(TasksTest, TheLagThatIsKeptForASecondIsOfItsKind) {
  Kind video = PhotoKind();
  video.name = "video";
  database_ =
      std::make_unique<Database>(Backends{.store = store_, .bus = nullptr, .index = index_.get()},
                                 fake_.runtime(), DatabaseOptions{});
  ASSERT_TRUE(database_->Open(
      Within(), {{.kind = PhotoKind(), .searchable = true}, {.kind = video, .searchable = true}}));
  Put("a", "{}");
  fake_.clock().Advance(5'000);
  EXPECT_EQ(*database_->LagMs(Within(), "photo"), 5'000);
  EXPECT_EQ(*database_->LagMs(Within(), "video"), 0) << "nothing of it is on its way";
  fake_.clock().Advance(500);
  EXPECT_EQ(*database_->LagMs(Within(), "photo"), 5'000) << "read half a second ago";
  fake_.clock().Advance(500);
  EXPECT_EQ(*database_->LagMs(Within(), "photo"), 6'000);
}

TEST_F(TasksTest, ADeadLetterIsNoLagAndIsTriedAgainWhenAsked) {
  Open(false);
  Put("bad", R"({"size":"no number"})");
  Put("worse", R"({"size":"neither"})");
  Poll(10);
  SyncStatus status = Status();
  EXPECT_EQ(status.dead_letters, 2);
  EXPECT_EQ(status.outbox_rows, 0);
  EXPECT_EQ(status.lag_ms, 0);
  EXPECT_GT(database_->DeadLetters(Within(), "photo")->letters.at(0).since_ms, 0);
  const RecordRef bad = Photo("bad");
  EXPECT_EQ(*database_->RetryDeadLetters(Within(), "photo", std::span(&bad, 1)), 1);
  status = Status();
  EXPECT_EQ(status.dead_letters, 1);
  EXPECT_EQ(status.outbox_rows, 1);
  EXPECT_EQ(*database_->RetryDeadLetters(Within(), "photo", {}), 1);
  Poll(10);
  EXPECT_EQ(Status().dead_letters, 2);
}

TEST_F(TasksTest, ADeadLetterBehindAThousandOthersIsListedAndTriedAgain) {
  Open(false);
  for (int i = 0; i < 2'500; i += 500) {
    std::vector<WriteBatch> batches;
    for (int j = i; j < i + 500; ++j) {
      batches.push_back({{a4c::Put{.ref = PhotoRow("p" + std::to_string(10'000 + j)),
                                   .body = "{}",
                                   .quiet = {{"dead", true}, {"dead_at", int64_t{1'000} + j}}}}});
    }
    ASSERT_TRUE(memory_->Apply(Within(), batches));
  }
  EXPECT_EQ(Status().dead_letters, 1'000);
  EXPECT_TRUE(Status().dead_letters_more) << "those that were not counted are not kept quiet";
  std::string after;
  for (const size_t size : {1'000u, 1'000u, 500u}) {
    const auto page = database_->DeadLetters(Within(), "photo", after);
    ASSERT_TRUE(page) << page.error().ToString();
    EXPECT_EQ(page->letters.size(), size);
    after = page->next;
  }
  EXPECT_EQ(after, "");
  const std::vector<RecordRef> named = {Photo("p12499"), Photo("none")};
  EXPECT_EQ(*database_->RetryDeadLetters(Within(), "photo", named), 1);
  EXPECT_EQ(*database_->RetryDeadLetters(Within(), "photo", named), 0) << "it is on its way";
  EXPECT_EQ(*database_->RetryDeadLetters(Within(), "photo", {}), 2'499);
  EXPECT_TRUE(database_->DeadLetters(Within(), "photo")->letters.empty());
}

TEST_F(TasksTest, TheStatusIsPublishedAsMetrics) {
  Open();
  Put("a", "{}");
  fake_.clock().Advance(4'000);
  const auto verify = database_->NewVerifyLoop("photo");
  Step(*verify, 10'000);
  fake_.clock().Advance(2'000);
  const auto status = database_->NewStatusLoop("photo");
  Step(*status);
  const auto gauge = [&](const char* name) {
    return fake_.metrics().GaugeOf(std::string(name) + R"({kind="photo"})");
  };
  EXPECT_EQ(gauge("a4c_outbox_rows"), 1);
  EXPECT_EQ(gauge("a4c_sync_lag_documents"), 1);
  EXPECT_GE(gauge("a4c_sync_lag_seconds"), 6);
  EXPECT_EQ(gauge("a4c_sync_dead_letters"), 0);
  EXPECT_EQ(gauge("a4c_drift_records"), 0);
  EXPECT_GE(gauge("a4c_oldest_bucket_proof_seconds"), 2);
}

}  // namespace
}  // namespace a4c::testing
