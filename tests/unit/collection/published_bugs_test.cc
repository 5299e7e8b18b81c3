// Bugs that other projects have published, each made to happen here. The names are theirs:
// project, number of the issue, and what we do instead.
#include <algorithm>

#include "tests/support/fault_policy.h"
#include "tests/support/faulty_bus.h"
#include "tests/support/faulty_search_index.h"
#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

using Ids = std::vector<std::string>;

// A primary and a replica that has stopped following it: reads that allow for one get the replica.
class LaggingStore final : public Store {
 public:
  LaggingStore(Store& primary, Store& replica) : primary_(primary), replica_(replica) {}
  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    A4C_CHECK(replica_.Ensure(call, kinds));
    return primary_.Ensure(call, kinds);
  }
  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override {
    if (replicates) A4C_CHECK(replica_.Apply(call, batches));
    return primary_.Apply(call, batches);
  }
  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return primary_.Get(call, refs);
  }
  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    return request.replica_ok ? replica_.Scan(call, request) : primary_.Scan(call, request);
  }

  bool replicates = true;

 private:
  Store& primary_;
  Store& replica_;
};

// Everything of some calls fails while it is on.
class Outage final : public FaultPolicy {
 public:
  explicit Outage(std::string_view of) : of_(of) {}
  FaultDraw Next(std::string_view call) override {
    const bool hit = on && call.starts_with(of_);
    return {.fault = hit ? Fault::kError : Fault::kNone};
  }
  bool on = false;

 private:
  const std::string of_;
};

class PublishedBug : public DatabaseTest {
 protected:
  // An instance over these back ends; null: those of the fixture.
  std::unique_ptr<Database> Instance(Store* store = nullptr, Bus* bus = nullptr,
                                     SearchIndex* index = nullptr) {
    auto database = std::make_unique<Database>(Backends{.store = store ? *store : store_,
                                                        .bus = bus ? bus : bus_.get(),
                                                        .index = index ? index : index_.get()},
                                               fake_.runtime());
    const auto opened = database->Open(Within(), {{.kind = PhotoKind(), .searchable = true}});
    EXPECT_TRUE(opened) << opened.error().ToString();
    return database;
  }
  void Close() {
    sync_.reset();
    poll_.reset();
    database_.reset();
  }
  // Closes the instance before the back ends that the test has made for it.
  class [[nodiscard]] Opened {
   public:
    explicit Opened(PublishedBug& test) : test_(test) {}
    ~Opened() { test_.Close(); }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

   private:
    PublishedBug& test_;
  };
  // The fixture's database and loops become those of this instance.
  Opened Use(std::unique_ptr<Database> database) {
    Close();
    database_ = std::move(database);
    sync_ = database_->NewSyncLoop("photo");
    poll_ = database_->NewPollLoop("photo");
    return Opened(*this);
  }
  void StepAnyway(Loop& loop) { (void)loop.Step(fake_.Within(1'000)); }

  // What a minute of trouble, and the 35 seconds after it, look like for the loops.
  void RunFor(int64_t ms) {
    for (int64_t passed = 0; passed < ms; passed += 1'000) {
      StepAnyway(*sync_);
      if (fake_.clock().MonotonicMs() >= poll_due_ms_) {
        const auto next = poll_->Step(fake_.Within(1'000));
        poll_due_ms_ = fake_.clock().MonotonicMs() + (next ? *next : 1'000);
      }
      fake_.clock().Advance(1'000);
    }
  }

  int64_t Total() {
    const auto answer = index_->Search(Within(), {.kind = PhotoKind(), .limit = 1});
    EXPECT_TRUE(answer) << answer.error().ToString();
    return answer ? answer->total : -1;
  }
  int64_t Found() { return static_cast<int64_t>(fake_.metrics().CountOf("a4c_poll_found_total")); }

 private:
  int64_t poll_due_ms_ = 0;
};

TEST_F(PublishedBug, Gitlab600270_ALaggingReplicaIsNeverIndexed) {
  const auto replica = NewMemoryStore(fake_.runtime());
  LaggingStore store(*memory_, *replica);
  const Opened opened = Use(Instance(&store));
  Put("a", R"({"size":1})");
  Sync();
  store.replicates = false;
  Put("a", R"({"size":2})", Expect::Rev(1));
  Put("b", R"({"size":2})");
  Sync();
  EXPECT_EQ(Find("size:2"), (Ids{"a", "b"}));
  // Nor by who repairs, verifies and rebuilds.
  ASSERT_TRUE(database_->Repair(Within(), "photo", {}));
  ASSERT_TRUE(database_->StartTask(Within(), "photo", SyncWork::kRebuild));
  const auto rebuild = database_->NewRebuildLoop("photo");
  for (int i = 0; i < 10; ++i) {
    Step(*rebuild, 10'000);
    fake_.clock().Advance(60'000);
    Step(*poll_);
  }
  EXPECT_EQ((*database_->FindTask(Within(), "photo", SyncWork::kRebuild))->state,
            SyncTask::State::kSucceeded);
  EXPECT_EQ(Find("size:2"), (Ids{"a", "b"}));
}

TEST_F(PublishedBug, KafkaConnectElasticsearch142_ATopicMadeAnewDropsNoUpdate) {
  const Opened opened = Use(Instance());
  for (int rev = 0; rev < 5; ++rev) {
    Put("a", R"({"size":)" + std::to_string(rev) + "}",
        rev == 0 ? Expect::Absent() : Expect::Rev(rev));
    Sync();
  }
  // Offsets begin at 0 again. Where they are the versions, everything up to 5 is "older".
  const auto anew = NewMemoryBus(fake_.runtime());
  const Opened reopened = Use(Instance(nullptr, anew.get()));
  Put("a", R"({"size":77})", Expect::Rev(5));
  Sync();
  EXPECT_EQ(Find("size:77"), Ids{"a"});
  EXPECT_EQ(Found(), 0);
}

TEST_F(PublishedBug, KafkaConnectElasticsearch709_AnOldMessageThatIsReadAgainChangesNothing) {
  const Opened opened = Use(Instance());
  Put("a", R"({"size":1})");
  Put("a", R"({"size":2})", Expect::Rev(1));
  Sync();
  const Message old{.topic = "photo-sync",
                    .key = "a",
                    .payload = R"({"kind":"photo","scope":"s","id":"a","rev":1})"};
  ASSERT_TRUE(bus_->Publish(Within(), std::span(&old, 1)));
  Sync();
  EXPECT_EQ(Find("size:2"), Ids{"a"});
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(PublishedBug, KafkaConnectElasticsearch500_ADeleteHasAVersionLikeAnyChange) {
  HookedIndex index(*index_);
  const Opened opened = Use(Instance(nullptr, nullptr, &index));
  Put("a", R"({"title":"pier"})");
  Sync();
  // The record is deleted and made again while the delete is on its way; it arrives last.
  bool overtaken = false;
  Document late;
  index.on_bulk = [&](std::span<const Document> documents) -> Result<void> {
    if (!overtaken && documents[0].tombstone) {
      overtaken = true;
      late = documents[0];
      return Error(Code::kUnavailable, "the connection was lost");
    }
    return {};
  };
  Put("a", "{}", Expect::Rev(1), true);
  StepAnyway(*sync_);
  ASSERT_TRUE(overtaken);
  Put("a", R"({"title":"new pier"})", Expect::Rev(2));
  Sync();
  ASSERT_TRUE(index_->Bulk(Within(), std::span(&late, 1)));
  ASSERT_TRUE(index_->Refresh(Within(), "photo"));
  EXPECT_EQ(Find("new"), Ids{"a"});
}

TEST_F(PublishedBug, PgSync268_NothingIsAcknowledgedBeforeItIsSearchable) {
  HookedIndex index(*index_);
  index.on_bulk = [](std::span<const Document>) -> Result<void> {
    return Error(Code::kUnavailable, "the index is away");
  };
  const Opened opened = Use(Instance(nullptr, nullptr, &index));
  Put("a", R"({"title":"pier"})");
  StepAnyway(*sync_);
  StepAnyway(*sync_);
  EXPECT_EQ(Outbox().size(), 1u);
  // The process dies. The next one is given the same messages, and the row is still there besides.
  const Opened reopened = Use(Instance());
  Sync();
  EXPECT_EQ(Find("pier"), Ids{"a"});
  EXPECT_EQ(Found(), 0);
}

TEST_F(PublishedBug, Elasticsearch101178_ADeleteIsRememberedLongerThanAnyWriteIsLate) {
  const Opened opened = Use(Instance());
  Put("a", R"({"title":"pier"})");
  Sync();
  const Document late{.ref = Photo("a"), .rev = 1, .body = R"({"title":"pier"})"};
  Put("a", "{}", Expect::Rev(1), true);
  Sync();
  const auto purge = database_->NewPurgeLoop("photo");
  // An engine forgets what it deleted after a minute; ours is a document of its own for a week.
  for (const int64_t wait_ms : {61'000LL, 24LL * 3'600'000, 5LL * 24 * 3'600'000}) {
    fake_.clock().Advance(wait_ms);
    Step(*purge);
    const auto results = index_->Bulk(Within(), std::span(&late, 1));
    EXPECT_EQ(results->at(0).outcome, BulkOutcome::kStale);
    ASSERT_TRUE(index_->Refresh(Within(), "photo"));
    EXPECT_TRUE(Find("pier").empty());
  }
}

TEST_F(PublishedBug, SequenceGap_AChangeThatCommitsLateIsFound) {
  const Opened opened = Use(Instance(nullptr, nullptr));
  const int64_t now_ms = fake_.clock().NowMs();
  Put("later", R"({"album":"x"})");
  fake_.clock().Advance(60'000);
  Step(*poll_);
  EXPECT_EQ(Find("album:x"), Ids{"later"});
  // Begun before the other, with smaller id and times, and committed after the poller had passed.
  const WriteBatch late{{a4c::Put{.ref = Photo("earlier"), .body = R"({"album":"x"})"},
                         a4c::Put{.ref = {"photo_outbox", {"s", "earlier"}},
                                  .body = "{}",
                                  .quiet = {{"since", now_ms - 1'000}, {"next_at", now_ms + 2'000}},
                                  .min_rev = 1}}};
  ASSERT_TRUE(memory_->Apply(Within(), std::span(&late, 1)));
  fake_.clock().Advance(1'000);
  Step(*poll_);
  EXPECT_EQ(Find("album:x"), (Ids{"earlier", "later"}));
}

// Tasks for the same document ran in parallel, and the older one wrote last.
TEST_F(PublishedBug, Temporal5643_WhoWritesLastDoesNotWin) {
  HookedIndex index(*index_);
  const Opened opened = Use(Instance(nullptr, nullptr, &index));
  const auto other = Instance();
  const auto other_poll = other->NewPollLoop("photo");
  Put("a", R"({"album":"running"})");
  bool overtaken = false;
  index.on_bulk = [&](std::span<const Document>) -> Result<void> {
    if (std::exchange(overtaken, true)) return {};
    Put("a", R"({"album":"closed"})", Expect::Rev(1));
    fake_.clock().Advance(60'000);
    return other_poll->Step(fake_.Within(10'000)) ? Result<void>() : Error(Code::kInternal, "step");
  };
  for (int i = 0; i < 4; ++i) StepAnyway(*sync_);
  RunFor(40'000);
  EXPECT_TRUE(overtaken);
  EXPECT_EQ(Find("album:closed"), Ids{"a"});
  EXPECT_TRUE(Find("album:running").empty());
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(PublishedBug, Sequin2154_OneSinkThatIsDownStopsNoOther) {
  Kind video = PhotoKind();
  video.name = "video";
  HookedIndex index(*index_);
  index.on_bulk = [](std::span<const Document> documents) -> Result<void> {
    if (documents[0].ref.kind == "video") return Error(Code::kUnavailable, "this sink is away");
    return {};
  };
  auto database = std::make_unique<Database>(
      Backends{.store = store_, .bus = nullptr, .index = &index}, fake_.runtime());
  ASSERT_TRUE(database->Open(
      Within(), {{.kind = PhotoKind(), .searchable = true}, {.kind = video, .searchable = true}}));
  const auto videos = database->NewPollLoop("video");
  const Opened opened = Use(std::move(database));
  ASSERT_TRUE(database_->Write(Within(), {.changes = {{.ref = {"video", {"s", "v"}}}}}));
  for (int i = 0; i < 20; ++i) {
    fake_.clock().Advance(60'000);
    StepAnyway(*videos);
    Put("p" + std::to_string(i), R"({"album":"x"})");
    fake_.clock().Advance(1'000);
    Step(*poll_);
  }
  EXPECT_EQ(Find("album:x").size(), 20u);
  EXPECT_EQ(database_->Status(Within(), "video")->dead_letters, 0);
  EXPECT_EQ(database_->Status(Within(), "video")->outbox_rows, 1);
}

TEST_F(PublishedBug, Librdkafka5604_OffsetsOfPartitionsThatHaveGoneLoseNothing) {
  const auto faults = NewScriptedFaults(
      fake_.runtime(),
      {{"Subscription.Poll", {{}, {.fault = Fault::kRebalance}, {}, {.fault = Fault::kRebalance}}},
       {"Subscription.Ack", {{.fault = Fault::kUnknownBefore}, {.fault = Fault::kDrop}}}});
  FaultyBus bus(*bus_, *faults, fake_.runtime());
  const Opened opened = Use(Instance(nullptr, &bus));
  for (int i = 0; i < 30; ++i) {
    Put("p" + std::to_string(i), R"({"album":"x"})");
    StepAnyway(*sync_);
  }
  for (int i = 0; i < 8; ++i) StepAnyway(*sync_);
  EXPECT_EQ(Find("album:x").size(), 30u);
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(Found(), 0);
}

TEST_F(PublishedBug, ATopicThatIsDeletedAndRecreatedCostsThePollersPeriodAndNoMore) {
  const Opened opened = Use(Instance());
  for (int i = 0; i < 10; ++i) Put("p" + std::to_string(i), R"({"album":"x"})");
  const auto anew = NewMemoryBus(fake_.runtime());  // all that was published is gone
  const Opened reopened = Use(Instance(nullptr, anew.get()));
  RunFor(35'000);
  EXPECT_EQ(Find("album:x").size(), 10u);
  EXPECT_EQ(Found(), 10);
}

// It was stopped between its read and its write, past max.poll.interval: the group has given its
// partitions to another, which has gone on with newer changes.
TEST_F(PublishedBug, AConsumerThatWakesUpAfterItsTimeOverwritesNothing) {
  HookedIndex index(*index_);
  const auto faults = NewScriptedFaults(
      fake_.runtime(), {{"Subscription.Poll", {{}, {.fault = Fault::kRebalance}}}});
  FaultyBus bus(*bus_, *faults, fake_.runtime());
  const Opened opened = Use(Instance(nullptr, &bus, &index));
  const auto other = Instance();
  const auto other_sync = other->NewSyncLoop("photo");
  const auto other_poll = other->NewPollLoop("photo");
  Put("a", R"({"size":1})");
  bool stopped = false;
  index.on_bulk = [&](std::span<const Document>) -> Result<void> {
    if (std::exchange(stopped, true)) return {};
    fake_.clock().Advance(10 * 60'000);
    Put("a", R"({"size":2})", Expect::Rev(1));
    for (int i = 0; i < 4; ++i) StepAnyway(*other_sync);
    fake_.clock().Advance(60'000);
    StepAnyway(*other_poll);
    return {};
  };
  StepAnyway(*sync_);
  EXPECT_TRUE(stopped);
  RunFor(40'000);
  EXPECT_EQ(Find("size:2"), Ids{"a"});
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(PublishedBug, AnIndexThatIsRedForAMinuteCostsItsMinuteAndNoDeadLetter) {
  Outage outage("SearchIndex.");
  FaultySearchIndex index(*index_, outage, fake_.runtime());
  const Opened opened = Use(Instance(nullptr, nullptr, &index));
  outage.on = true;
  for (int i = 0; i < 60; ++i) {
    Put("p" + std::to_string(i), R"({"album":"x"})");
    RunFor(1'000);
  }
  EXPECT_TRUE(Find("album:x").empty());
  outage.on = false;
  RunFor(35'000);
  EXPECT_EQ(Total(), 60);
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(PublishedBug, ABusThatIsDownForAMinuteDelaysNoWriteAndLosesNothing) {
  Outage outage("");
  FaultyBus bus(*bus_, outage, fake_.runtime());
  const Opened opened = Use(Instance(nullptr, &bus));
  outage.on = true;
  for (int i = 0; i < 60; ++i) {
    const int64_t before_ms = fake_.clock().MonotonicMs();
    Put("p" + std::to_string(i), R"({"album":"x"})");
    EXPECT_EQ(fake_.clock().MonotonicMs(), before_ms);
    RunFor(1'000);
  }
  outage.on = false;
  RunFor(35'000);
  EXPECT_EQ(Total(), 60);
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(PublishedBug, AMappingConflictIsOneDocumentsAffair) {
  const Opened opened = Use(Instance());
  Put("bad", R"({"size":"no number","album":"x"})");
  Put("good", R"({"size":1,"album":"x"})");
  RunFor(5'000);
  EXPECT_EQ(Find("album:x"), Ids{"good"});
  Put("bad", R"({"size":2,"album":"x"})", Expect::Rev(1));
  RunFor(5'000);
  EXPECT_EQ(Find("album:x"), (Ids{"bad", "good"}));
}

// The store fails over to a standby that lacks its last writes, which the index has seen.
TEST_F(PublishedBug, ALossyFailoverAfterIndexingLeavesNothingThatTheStoreLacks) {
  const Opened opened = Use(Instance());
  Put("kept", R"({"album":"old"})");
  Sync();
  const auto standby = NewMemoryStore(fake_.runtime());
  const auto seeded = Instance(standby.get());
  ASSERT_TRUE(
      seeded->Write(Within(), {.changes = {{.ref = Photo("kept"), .body = R"({"album":"old"})"}}}));
  Put("kept", R"({"album":"lost"})", Expect::Rev(1));
  Put("ghost", R"({"album":"lost"})");
  Sync();
  EXPECT_EQ(Find("album:lost").size(), 2u);
  const Opened reopened = Use(Instance(standby.get()));
  const auto verify = database_->NewVerifyLoop("photo");
  for (int i = 0; i < 3; ++i) {
    Step(*verify, 10'000);
    RunFor(11 * 60'000);
  }
  EXPECT_TRUE(Find("album:lost").empty());
  EXPECT_EQ(Find("album:old"), Ids{"kept"});
  EXPECT_GT(Read("kept")->rev, 2);
  EXPECT_EQ(database_->Verify(Within(), "photo")->mismatched_buckets, 0);
}

}  // namespace
}  // namespace a4c::testing
