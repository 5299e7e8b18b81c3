#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

using Ids = std::vector<std::string>;

TEST_F(DatabaseTest, AHintBringsAChangeToTheIndexAndConfirmsIt) {
  Open();
  Put("a", R"({"title":"the old pier"})");
  Sync();
  EXPECT_EQ(Find("pier"), Ids{"a"});
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(DatabaseTest, WithoutFaultsThePollerFindsNothing) {
  Open();
  Put("a", "{}");
  Sync();
  Step(*poll_);
  EXPECT_EQ(fake_.metrics().CountOf("a4c_poll_found_total"), 0);
}

TEST_F(DatabaseTest, ThePollerFindsWhatTheHintsMissed) {
  Open(false);
  Put("a", R"({"title":"pier"})");
  fake_.clock().Advance(10);
  Step(*poll_);
  EXPECT_EQ(Find("pier"), Ids{"a"});
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(DatabaseTest, AChangeIsLeftToTheBusForAWhile) {
  Open();
  Put("a", "{}");
  fake_.clock().Advance(2'000);
  Step(*poll_);
  EXPECT_EQ(Outbox().size(), 1u);
  fake_.clock().Advance(2'000);
  Step(*poll_);
  EXPECT_TRUE(Outbox().empty());
}

// The row may go only for the change that was indexed: another one came while it was on its way.
TEST_F(DatabaseTest, AChangeDuringTheSyncKeepsItsRow) {
  Open();
  Put("a", R"({"size":1})");
  bool changed = false;
  store_.on_apply = [&](Store& store, const Call& call,
                        std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    if (!changed && std::holds_alternative<Delete>(batches[0].ops[0])) {
      changed = true;
      const WriteBatch meanwhile{
          {a4c::Put{.ref = Photo("a"), .body = R"({"size":2})", .expect = Expect::Rev(1)},
           a4c::Put{.ref = {"photo_outbox", {"s", "a"}}, .body = "{}", .min_rev = 2}}};
      EXPECT_TRUE(store.Apply(call, std::span(&meanwhile, 1)));
    }
    return store.Apply(call, batches);
  };
  Sync();
  ASSERT_EQ(Outbox().size(), 1u);
  EXPECT_EQ(Outbox()[0].rev, 2);
  EXPECT_EQ(Outbox()[0].quiet.at("confirmed"), Scalar(int64_t{1}));
  fake_.clock().Advance(10'000);
  Step(*poll_);
  EXPECT_EQ(Find("size:2"), Ids{"a"});
  EXPECT_TRUE(Outbox().empty());
}

// A poller that dies with rows in hand costs no more than a lost hint: another one finds them
// within first_due and a period.
TEST_F(DatabaseTest, TheRowsOfAPollerThatDiedComeUpAgainSoon) {
  Open();
  Put("a", R"({"title":"pier"})");
  fake_.clock().Advance(4'000);
  store_.on_apply = [](Store& store, const Call& call,
                       std::span<const WriteBatch> batches) -> Result<ApplyAnswer> {
    if (std::holds_alternative<Delete>(batches[0].ops[0])) {
      return Error(Code::kUnavailable, "the connection is gone");
    }
    return store.Apply(call, batches);
  };
  EXPECT_FALSE(poll_->Step(Within()));
  poll_ = database_->NewPollLoop("photo");
  store_.on_apply = nullptr;
  Step(*poll_);
  EXPECT_EQ(Outbox().size(), 1u) << "a row that a poller has just taken is left to it";
  fake_.clock().Advance(3'000);
  Step(*poll_);
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(Find("pier"), Ids{"a"});
}

// With an error that may be an outage, so that it never becomes a dead letter.
class NeverTakenTest : public DatabaseTest {
 protected:
  void Start(bool with_bus) {
    hooked_.refuses = [](const Document& document) { return document.ref.key.id == "odd"; };
    database_ = std::make_unique<Database>(
        Backends{.store = store_, .bus = with_bus ? bus_.get() : nullptr, .index = &hooked_},
        fake_.runtime(), DatabaseOptions{.sync_batch_max = 2});
    ASSERT_TRUE(database_->Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
    sync_ = database_->NewSyncLoop("photo");
    poll_ = database_->NewPollLoop("photo");
    Put("odd", R"({"title":"pier"})");
  }

  HookedIndex hooked_{*index_};
};

TEST_F(NeverTakenTest, ADocumentHoldsUpNoOtherAtThePollerWhichSaysWhy) {
  Start(false);
  for (const char* id : {"p", "q", "r"}) Put(id, R"({"title":"pier"})");
  fake_.clock().Advance(10);
  const auto stepped = poll_->Step(Within());
  ASSERT_FALSE(stepped);
  EXPECT_EQ(stepped.error().message(), "the index did not take all documents: status 400 odd");
  EXPECT_EQ(stepped.error().hint(), "look at it");
  EXPECT_EQ(Find("pier"), (Ids{"p", "q", "r"})) << "of the next batch, too";
  ASSERT_EQ(Outbox().size(), 1u);
  EXPECT_EQ(Outbox()[0].quiet.at("rejections"), Scalar(int64_t{0}));
}

TEST_F(NeverTakenTest, ADocumentDoesNotKeepTheHintsAfterItFromBeingRead) {
  Start(true);
  const int changes = 2 * 50 * 2;  // twice what is polled before it is acknowledged
  for (int i = 0; i < changes; ++i) {
    Put("p" + std::to_string(i), R"({"title":"pier"})");
    Step(*sync_, 2'000);
  }
  Sync();
  EXPECT_EQ(Outbox().size(), 1u) << "the poller has it";
}

// A failover takes a change back that was read already; the next one has its rev and another body.
TEST_F(DatabaseTest, TheRowOfAnotherChangeUnderTheSameRevStays) {
  Open();
  Put("a", R"({"title":"lost"})");
  AfterPhotosAreRead([this](Store& store, Result<GetAnswer>&) {
    const WriteBatch failover{{Delete{.ref = Photo("a")}, Delete{.ref = PhotoRow("a")}}};
    EXPECT_TRUE(store.Apply(Within(), std::span(&failover, 1)));
    Put("a", R"({"title":"kept"})");
  });
  Sync();
  fake_.clock().Advance(10'000);
  Step(*poll_);
  EXPECT_EQ(Find("kept"), Ids{"a"});
  EXPECT_TRUE(Find("lost").empty());
  EXPECT_TRUE(Outbox().empty());
}

// A failover takes a change back after its row was read, and the writer makes it again after the
// record was read: the row is that of the change, the document is not.
TEST_F(DatabaseTest, ARowIsNotConfirmedByAnOlderRecord) {
  Open();
  Put("a", R"({"title":"old"})");
  Sync();
  Put("a", R"({"title":"new"})", Expect::Rev(1));
  const Record changed = *Read("a");
  AfterPhotosAreRead([&](Store&, Result<GetAnswer>& answer) {
    answer->records[0]->rev = 1;
    answer->records[0]->body = R"({"title":"old"})";
  });
  Sync();
  EXPECT_EQ(Outbox().size(), 1u) << "the index shows " << changed.body << " not yet";
  fake_.clock().Advance(10'000);
  Step(*poll_);
  EXPECT_EQ(Find("new"), Ids{"a"});
  EXPECT_TRUE(Outbox().empty());
}

// The record was announced as missing, and came back: its row is one rev ahead of it.
TEST_F(DatabaseTest, ARowAheadOfItsRecordIsConfirmed) {
  Open();
  const RecordRef missing = Photo("a");
  ASSERT_TRUE(database_->Repair(Within(), "photo", std::span(&missing, 1)));
  Put("a", R"({"title":"pier"})");
  ASSERT_EQ(Outbox().size(), 1u);
  EXPECT_EQ(Outbox()[0].rev, 2);
  Sync();
  EXPECT_EQ(Find("pier"), Ids{"a"});
  EXPECT_TRUE(Outbox().empty());
}

// Another instance has indexed a newer document by now: the store has lost nothing.
TEST_F(DatabaseTest, WhatAnotherHasIndexedByNowIsNotHealed) {
  Open();
  Put("a", R"({"title":"first"})");
  AfterPhotosAreRead([this](Store&, Result<GetAnswer>&) {
    Put("a", R"({"title":"second"})", Expect::Rev(1));
    const Document newer{.ref = Photo("a"), .rev = 2, .body = R"({"title":"second"})"};
    EXPECT_TRUE(index_->Bulk(Within(), std::span(&newer, 1)));
  });
  Sync();
  EXPECT_EQ(fake_.metrics().CountOf("a4c_sync_healed_total"), 0);
  EXPECT_EQ(Read("a")->rev, 2);
}

TEST_F(DatabaseTest, ATickThatIndexedMoreThanTheWriteQueueTakesIsConfirmedInParts) {
  Open();
  constexpr int kChanges = 9'000;  // the queue takes 8,192
  for (int i = 0; i < kChanges; ++i) Put("id-" + std::to_string(i), "{}");
  for (int i = 0; i < 40 && !Outbox().empty(); ++i) Step(*sync_, 2'000);
  EXPECT_TRUE(Outbox().empty());
  EXPECT_EQ(fake_.metrics().CountOf("a4c_sync_confirmed_total"), kChanges);
}

TEST_F(DatabaseTest, ADeleteIsIndexedAsATombstoneAndHidden) {
  Open();
  Put("a", R"({"title":"pier"})");
  Sync();
  Put("a", "{}", Expect::Rev(1), true);
  Sync();
  EXPECT_TRUE(Find("pier").empty());
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(DatabaseTest, APoisonDocumentBecomesADeadLetterAndStopsNobody) {
  Open(false);
  Put("bad", R"({"size":"no number"})");
  Put("good", R"({"size":1})");
  for (int i = 0; i < 10; ++i) {
    fake_.clock().Advance(60'000);
    Step(*poll_);
  }
  EXPECT_EQ(Find("size:1"), Ids{"good"});
  const auto letters = database_->DeadLetters(Within(), "photo");
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->letters.size(), 1u);
  EXPECT_EQ(letters->letters[0].ref, Photo("bad"));
  EXPECT_NE(letters->letters[0].reason.find("size"), std::string::npos);
}

// It became one while an earlier change of its record waited for a refresh of the index.
TEST_F(DatabaseTest, ADeadLetterIsNoLagWhenAnEarlierChangeIsConfirmed) {
  HookedIndex index(*index_);
  bool refuses = true;
  index.on_refresh = [&]() -> Result<void> {
    return refuses ? Error(Code::kUnavailable, "not now") : Result<void>();
  };
  Database instance({.store = store_, .index = &index}, fake_.runtime(), {.rejections_max = 1});
  ASSERT_TRUE(instance.Open(Within(), {{.kind = PhotoKind(), .searchable = true}}));
  const auto write = [&](const std::string& body, Expect expect) {
    EXPECT_TRUE(instance.Write(Within(),
                               {.changes = {{.ref = Photo("a"), .body = body, .expect = expect}}}));
    fake_.clock().Advance(60'000);
  };
  const auto one = instance.NewPollLoop("photo");
  const auto other = instance.NewPollLoop("photo");
  write(R"({"size":1})", Expect::Absent());
  EXPECT_FALSE(one->Step(fake_.Within(100)));
  write(R"({"size":"no number"})", Expect::Rev(1));
  EXPECT_TRUE(other->Step(fake_.Within(100)));
  refuses = false;
  EXPECT_TRUE(one->Step(fake_.Within(100)));
  const RecordRef ref = PhotoRow("a");
  const auto row = instance.Get(Within(), {&ref, 1});
  ASSERT_TRUE(row && row->records[0]);
  EXPECT_EQ(row->records[0]->quiet.at("confirmed"), Scalar(int64_t{1})) << "searches may wait";
  const auto status = instance.Status(Within(), "photo");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->dead_letters, 1);
  EXPECT_EQ(status->lag_ms, 0);
}

TEST_F(DatabaseTest, ACorrectedDocumentLeavesTheDeadLetters) {
  Open(false);
  Put("bad", R"({"size":"no number"})");
  for (int i = 0; i < 10; ++i) {
    fake_.clock().Advance(60'000);
    Step(*poll_);
  }
  Put("bad", R"({"size":7})", Expect::Rev(1));
  fake_.clock().Advance(60'000);
  Step(*poll_);
  EXPECT_EQ(Find("size:7"), Ids{"bad"});
  EXPECT_TRUE(database_->DeadLetters(Within(), "photo")->letters.empty());
}

// The store lost its newest writes (a failover without a synchronous standby); the index saw them.
TEST_F(DatabaseTest, AnIndexThatIsAheadOfTheStoreIsHealed) {
  Open();
  const Document ghost{.ref = Photo("a"), .rev = 5, .body = R"({"title":"lost"})"};
  ASSERT_TRUE(index_->Bulk(Within(), std::span(&ghost, 1)));
  Put("a", R"({"title":"kept"})");
  Sync();
  EXPECT_EQ(Find("kept"), Ids{"a"});
  EXPECT_TRUE(Find("lost").empty());
  EXPECT_EQ(Read("a")->rev, 6);
  EXPECT_TRUE(Outbox().empty());
}

TEST_F(DatabaseTest, TheSameRevWithAnotherBodyIsHealedToo) {
  Open();
  const Document ghost{.ref = Photo("a"), .rev = 1, .body = R"({"title":"lost"})"};
  ASSERT_TRUE(index_->Bulk(Within(), std::span(&ghost, 1)));
  Put("a", R"({"title":"kept"})");
  Sync();
  EXPECT_EQ(Find("kept"), Ids{"a"});
  EXPECT_TRUE(Find("lost").empty());
}

TEST_F(DatabaseTest, AnUnreadableHintIsCountedAndPassedOver) {
  Open();
  const Message junk{.topic = "photo-sync", .key = "x", .payload = "{not json"};
  ASSERT_TRUE(bus_->Publish(Within(), std::span(&junk, 1)));
  Put("a", R"({"title":"pier"})");
  Sync();
  EXPECT_EQ(Find("pier"), Ids{"a"});
  EXPECT_EQ(fake_.metrics().CountOf("a4c_sync_unreadable_hints_total"), 1);
}

TEST_F(DatabaseTest, ASearchWaitsForItsTokenOrSaysThatItIsNotFresh) {
  Open();
  const Committed done = Put("a", R"({"title":"pier"})");
  const FindRequest request{.request = {.kind = PhotoKind()}, .tokens = done.tokens};
  const auto early = database_->Search(Within(), request);
  ASSERT_TRUE(early) << early.error().ToString();
  EXPECT_FALSE(early->fresh);
  EXPECT_GE(early->lag_ms, 2'000);
  FindRequest strict = request;
  strict.require_fresh = true;
  EXPECT_EQ(database_->Search(Within(), strict).error().code(), Code::kUnavailable);
  Sync();
  const auto late = database_->Search(Within(), strict);
  ASSERT_TRUE(late) << late.error().ToString();
  EXPECT_TRUE(late->fresh);
  EXPECT_EQ(late->answer.total, 1);
}

// Whoever wrote it; not what is written while the search waits, else a busy kind is never fresh.
TEST_F(DatabaseTest, WithoutATokenAFreshSearchIsAboutAllThatWasWrittenBefore) {
  Open();
  const FindRequest strict{.request = {.kind = PhotoKind()}, .require_fresh = true};
  EXPECT_TRUE(database_->Search(Within(), strict)) << "there is nothing to wait for";
  Put("a", R"({"title":"pier"})");
  EXPECT_EQ(database_->Search(Within(), strict).error().code(), Code::kUnavailable);
  int looks = 0;
  store_.before_scan = [&] {
    if (++looks < 2) return;
    store_.before_scan = nullptr;
    Sync();
    Put("b", R"({"title":"pier"})");
  };
  const auto late = database_->Search(Within(), strict);
  ASSERT_TRUE(late) << late.error().ToString();
  EXPECT_TRUE(late->fresh);
  EXPECT_EQ(late->answer.total, 1);
}

// One of others that the index never takes would keep everybody from ever being fresh.
TEST_F(DatabaseTest, AFreshSearchOfAScopeWaitsForThatScopeAlone) {
  Open();
  const auto put = [&](const std::string& scope, const std::string& id) {
    ASSERT_TRUE(database_->Write(
        Within(), {.changes = {{.ref = {"photo", {scope, id}}, .body = R"({"title":"pier"})"}}}));
  };
  FindRequest strict{.request = {.kind = PhotoKind()}, .require_fresh = true};
  for (int i = 0; i < 600; ++i) put("others", "id-" + std::to_string(i));
  strict.request.scope = "ours";
  EXPECT_TRUE(database_->Search(Within(), strict));
  put("ours", "a");
  EXPECT_EQ(database_->Search(Within(), strict).error().code(), Code::kUnavailable);
}

TEST_F(DatabaseTest, ATokenOfAWriteThatTheStoreLacksIsLost) {
  Open();
  Put("a", "{}");
  Sync();
  const auto found = database_->Search(
      Within(), {.request = {.kind = PhotoKind()}, .tokens = {{Photo("a"), 2}, {Photo("b"), 1}}});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->fresh);
  EXPECT_EQ(found->lost.size(), 2u);
}

}  // namespace
}  // namespace a4c::testing
