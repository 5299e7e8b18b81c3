// Events of jobs and servers: by hints of the bus, by scans where there is none or it lost one, and
// to clients that come back.
#include "apps/a4cd/api/event_feed.h"

#include <optional>
#include <set>
#include <utility>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// Loses what is published while the test wants it to.
class LossyBus final : public a4c::Bus {
 public:
  explicit LossyBus(a4c::Bus& inner) : inner_(inner) {}
  Result<std::vector<a4c::PublishOutcome>> Publish(
      const Call& call, std::span<const a4c::Message> messages) override {
    if (!loses) return inner_.Publish(call, messages);
    return std::vector<a4c::PublishOutcome>(messages.size(), a4c::PublishOutcome::kAccepted);
  }
  Result<int64_t> Flush(const Call& call) override { return inner_.Flush(call); }
  Result<std::unique_ptr<a4c::Subscription>> Subscribe(const Call& call, const std::string& topic,
                                                       const std::string& group,
                                                       a4c::StartAt start_at) override {
    return inner_.Subscribe(call, topic, group, start_at);
  }
  bool loses = false;

 private:
  a4c::Bus& inner_;
};

// Counts the reads of a store, and how many records one may have.
class CountingStore final : public a4c::Store {
 public:
  explicit CountingStore(a4c::Store& inner) : inner_(inner) {}
  Result<void> Ensure(const Call& call, std::span<const a4c::Kind> kinds) override {
    return inner_.Ensure(call, kinds);
  }
  Result<a4c::ApplyAnswer> Apply(const Call& call,
                                 std::span<const a4c::WriteBatch> batches) override {
    return inner_.Apply(call, batches);
  }
  Result<a4c::GetAnswer> Get(const Call& call, std::span<const a4c::RecordRef> refs) override {
    ++gets;
    most_at_once = std::max(most_at_once, refs.size());
    return inner_.Get(call, refs);
  }
  Result<a4c::ScanAnswer> Scan(const Call& call, const a4c::ScanRequest& request) override {
    most_at_once = std::max(most_at_once, static_cast<size_t>(request.limit));
    return inner_.Scan(call, request);
  }
  int gets = 0;
  size_t most_at_once = 0;

 private:
  a4c::Store& inner_;
};

class EventFeedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto opened = database_.Open(Within(), AllCollections());
    ASSERT_TRUE(opened) << opened.error().ToString();
  }
  Call Within() { return fake_.Within(30'000); }

  std::string Create(const std::string& title, const std::string& tenant = kTenant) {
    JobDraft draft;
    draft.type = "host.cleanup";
    draft.title = title;
    draft.payload = Json::Object{{"host", "one"}};
    const Principal principal{.tenant = tenant, .key_id = "key", .scopes = {"*"}};
    const auto write = jobs_.PrepareCreate(Within(), principal, draft);
    EXPECT_TRUE(write);
    EXPECT_TRUE(database_.Write(Within(), write->commit));
    return write->id;
  }
  // As retention does.
  void Delete(const std::string& id) {
    const a4c::RecordRef ref = JobRef(kTenant, id);
    const auto found = database_.Get(Within(), std::span(&ref, 1));
    ASSERT_TRUE(found && found->records[0]);
    const auto done = database_.Write(
        Within(), {.changes = {{.ref = ref,
                                .body = found->records[0]->body,
                                .tombstone = true,
                                .expect = a4c::Expect::Rev(found->records[0]->rev)}}});
    ASSERT_TRUE(done && done->outcome == a4c::Committed::Outcome::kApplied);
  }
  void Say(const HostRecord& host, const a4c::Expect& expect, bool tombstone = false) {
    const auto done = database_.Write(Within(), {.changes = {{.ref = HostRef(host.id),
                                                              .body = HostBody(host),
                                                              .tombstone = tombstone,
                                                              .expect = expect}}});
    ASSERT_TRUE(done && done->outcome == a4c::Committed::Outcome::kApplied);
  }
  std::string Next(StreamSource& source) {
    const auto piece = source.Next(Within());
    EXPECT_TRUE(piece);
    return piece ? piece->bytes : "";
  }
  // Subscribes without waiting: nothing is there yet.
  void Subscribe(a4c::Loop& tail) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_TRUE(tail.Step(fake_.Within(30'000, stop.get_token())));
  }
  void Hint(int count) {
    const Json hint(Json::Object{{"kind", "job"}, {"scope", kTenant}, {"id", "one"}});
    const std::vector<a4c::Message> hints(
        static_cast<size_t>(count),
        {.topic = "job-sync", .key = "one", .payload = hint.ToString()});
    EXPECT_TRUE(bus_.Publish(Within(), hints));
  }
  static int Count(const std::string& text, const std::string& word) {
    int count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      ++count;
    }
    return count;
  }
  static std::string LastId(const std::string& text) {
    const size_t at = text.rfind("id: ");
    return at == std::string::npos ? "" : text.substr(at + 4, text.find('\n', at) - at - 4);
  }

  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> memory_store_ = a4c::NewMemoryStore(fake_.runtime());
  CountingStore store_{*memory_store_};
  const std::unique_ptr<a4c::Bus> memory_bus_ = a4c::NewMemoryBus(fake_.runtime());
  LossyBus bus_{*memory_bus_};
  a4c::Database database_{{.store = store_, .bus = &bus_}, fake_.runtime()};
  a4c::IdSource ids_{fake_.runtime().clock, fake_.runtime().random};
  JobService jobs_{database_, fake_.runtime(), ids_};
};

TEST_F(EventFeedTest, AHintShowsAChangeBeforeAnyScan) {
  EventFeed feed(database_, fake_.runtime(), {.scan_period_ms = 1'000'000});
  const auto tail = feed.NewTail(bus_, "job-sync", "events-one");
  const auto source = feed.NewSource(kTenant, "");
  Next(*source);
  {  // subscribes; nothing is there yet, so it must not wait for it
    std::stop_source stop;
    stop.request_stop();
    EXPECT_TRUE(tail->Step(fake_.Within(30'000, stop.get_token())));
  }
  const std::string id = Create("the pier");
  Create("of another", "other");
  ASSERT_TRUE(tail->Step(Within()));
  const std::string got = Next(*source);
  EXPECT_NE(got.find(id), std::string::npos) << got;
  EXPECT_EQ(Count(got, "event: job"), 1) << got;
  EXPECT_EQ(got.find("of another"), std::string::npos) << got;
}

TEST_F(EventFeedTest, ChangesOfServersAreForWhoMaySeeServers) {
  EventFeed feed(database_, fake_.runtime());
  const auto operators = feed.NewSource(kTenant, "", true);
  const auto users = feed.NewSource(kTenant, "");
  Next(*operators);
  fake_.clock().Advance(100);
  HostRecord host{.id = "one",
                  .state = {.name = kQuarantined, .pinned = "SHA256:a", .shown = "SHA256:b"},
                  .updated_at = fake_.clock().NowMs()};
  Say(host, a4c::Expect::Absent());
  fake_.clock().Advance(100);
  const std::string got = Next(*operators);
  EXPECT_EQ(Count(got, "event: host"), 1) << got;
  EXPECT_NE(got.find(R"("state":"quarantined")"), std::string::npos) << got;
  EXPECT_NE(got.find(R"("shown_fingerprint":"SHA256:b")"), std::string::npos) << got;
  EXPECT_EQ(Count(Next(*users), "event:"), 0);
  fake_.clock().Advance(100);
  EXPECT_EQ(Count(Next(*operators), "event:"), 0) << "it is said once";
  // Away until it was removed, and then with an instance that was started later.
  host.updated_at = fake_.clock().NowMs();
  Say(host, a4c::Expect::Rev(1), true);
  fake_.clock().Advance(20'000);
  EventFeed later(database_, fake_.runtime());
  const std::string missed = Next(*later.NewSource(kTenant, LastId(got), true));
  EXPECT_NE(missed.find(R"("removed":true)"), std::string::npos) << missed;
  EXPECT_EQ(Count(Next(*later.NewSource(kTenant, LastId(got))), "event:"), 0);
}

TEST_F(EventFeedTest, AJobThatRetentionDeletesIsNoEvent) {
  EventFeed feed(database_, fake_.runtime());
  const auto tail = feed.NewTail(bus_, "job-sync", "events-one");
  auto source = feed.NewSource(kTenant, "");
  Next(*source);
  Subscribe(*tail);
  const std::string id = Create("the pier");
  ASSERT_TRUE(tail->Step(Within()));
  const std::string position = LastId(Next(*source));
  ASSERT_FALSE(position.empty());
  Delete(id);
  ASSERT_TRUE(tail->Step(Within()));
  fake_.clock().Advance(100);
  EXPECT_EQ(Count(Next(*source), "event:"), 0) << "neither by its hint nor by a scan";
  source.reset();
  fake_.clock().Advance(20'000);
  EventFeed later(database_, fake_.runtime());
  EXPECT_EQ(Count(Next(*later.NewSource(kTenant, position)), "event:"), 0);
}

TEST_F(EventFeedTest, EachInstanceGetsEveryHint) {
  EventFeed one(database_, fake_.runtime(), {.scan_period_ms = 1'000'000});
  EventFeed two(database_, fake_.runtime(), {.scan_period_ms = 1'000'000});
  const auto tail_one = one.NewTail(bus_, "job-sync", "events-one");
  const auto tail_two = two.NewTail(bus_, "job-sync", "events-two");
  const auto source_one = one.NewSource(kTenant, "");
  const auto source_two = two.NewSource(kTenant, "");
  Next(*source_one);
  Next(*source_two);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(tail_one->Step(fake_.Within(30'000, stop.get_token())));
  EXPECT_TRUE(tail_two->Step(fake_.Within(30'000, stop.get_token())));
  const std::string id = Create("the pier");
  ASSERT_TRUE(tail_one->Step(Within()));
  ASSERT_TRUE(tail_two->Step(Within()));
  EXPECT_NE(Next(*source_one).find(id), std::string::npos);
  EXPECT_NE(Next(*source_two).find(id), std::string::npos);
}

// A later hint must not make the scan skip the change whose hint was lost.
TEST_F(EventFeedTest, AChangeWhoseHintWasLostIsFoundByTheNextScan) {
  EventFeed feed(database_, fake_.runtime(), {.overlap_ms = 1'000, .scan_period_ms = 60'000});
  const auto tail = feed.NewTail(bus_, "job-sync", "events-one");
  const auto source = feed.NewSource(kTenant, "");
  Next(*source);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(tail->Step(fake_.Within(30'000, stop.get_token())));
  bus_.loses = true;
  const std::string lost = Create("lost");
  bus_.loses = false;
  fake_.clock().Advance(30'000);
  const std::string hinted = Create("hinted");
  ASSERT_TRUE(tail->Step(Within()));
  std::string got = Next(*source);
  EXPECT_NE(got.find(hinted), std::string::npos) << got;
  EXPECT_EQ(got.find(lost), std::string::npos) << got;
  fake_.clock().Advance(30'000);
  got = Next(*source);
  EXPECT_NE(got.find(lost), std::string::npos) << got;
  EXPECT_EQ(Count(got, "event: job"), 1) << "what was shown is not shown again: " << got;
}

// What is remembered of them would be pruned by nobody.
TEST_F(EventFeedTest, HintsCostNothingWhileNobodyListens) {
  EventFeed feed(database_, fake_.runtime(), {.scan_period_ms = 1'000'000});
  const auto tail = feed.NewTail(bus_, "job-sync", "events-one");
  Subscribe(*tail);
  const auto gets_of = [&](int hints) {
    const int before = store_.gets;
    for (int left = hints; left > 0; left -= 1'000) {
      Hint(std::min(left, 1'000));
      EXPECT_TRUE(tail->Step(Within()));
    }
    return store_.gets - before;
  };
  EXPECT_EQ(gets_of(10'000), 0);
  {
    const auto source = feed.NewSource(kTenant, "");
    Next(*source);
    EXPECT_EQ(gets_of(1), 1);
  }
  EXPECT_EQ(gets_of(1), 1) << "who left may come back at once";
  fake_.clock().Advance(5'001);
  EXPECT_EQ(gets_of(10'000), 0);
}

TEST_F(EventFeedTest, APositionIsUnderstoodByAnInstanceThatWasStartedLater) {
  std::string position;
  {
    EventFeed feed(database_, fake_.runtime());
    const auto source = feed.NewSource(kTenant, "");
    Next(*source);
    fake_.clock().Advance(100);
    Create("seen");
    position = LastId(Next(*source));
  }
  ASSERT_FALSE(position.empty());
  fake_.clock().Advance(20'000);
  const std::string missed = Create("missed");
  fake_.clock().Advance(20'000);
  EventFeed later(database_, fake_.runtime());
  const auto source = later.NewSource(kTenant, position);
  const std::string got = Next(*source);
  EXPECT_NE(got.find(missed), std::string::npos) << got;
  EXPECT_EQ(got.find("resync"), std::string::npos) << got;
}

TEST_F(EventFeedTest, TheFirstListenerAfterAnIdleTimeHearsWhatChangesFromThenOn) {
  EventFeed feed(database_, fake_.runtime(), {.changes_max = 1'000});
  std::string position;
  {
    const auto source = feed.NewSource(kTenant, "");
    Next(*source);
    fake_.clock().Advance(100);
    Create("heard");
    position = LastId(Next(*source));
  }
  for (int i = 0; i < 10; ++i) Create("old");
  fake_.clock().Advance(60'000);
  const std::string missed = Create("missed");
  fake_.clock().Advance(10'000);
  const auto source = feed.NewSource(kTenant, "");
  EXPECT_EQ(Count(Next(*source), "event:"), 0);
  fake_.clock().Advance(100);
  const std::string news = Create("new");
  fake_.clock().Advance(100);
  std::string got = Next(*source);
  EXPECT_EQ(Count(got, "event: job"), 1) << got;
  EXPECT_NE(got.find(news), std::string::npos) << got;
  got = Next(*feed.NewSource(kTenant, position));
  EXPECT_NE(got.find(missed), std::string::npos) << "with a position nothing is left out: " << got;
  EXPECT_EQ(got.find("resync"), std::string::npos) << got;
}

TEST_F(EventFeedTest, ManyChangesWhileNobodyListenedAreNoResyncForWhoComes) {
  EventFeed feed(database_, fake_.runtime(), {.changes_max = 1});
  Next(*feed.NewSource(kTenant, ""));
  for (int i = 0; i < 1'100; ++i) Create("many");
  fake_.clock().Advance(60'000);
  const auto source = feed.NewSource(kTenant, "");
  EXPECT_EQ(Count(Next(*source), "event:"), 0);
}

TEST_F(EventFeedTest, WhoseConnectionBreaksGoesOnWhereItWas) {
  EventFeed feed(database_, fake_.runtime());
  auto source = feed.NewSource(kTenant, "");
  Next(*source);
  fake_.clock().Advance(100);
  Create("heard");
  const std::string position = LastId(Next(*source));
  source.reset();
  const std::string missed = Create("missed");
  fake_.clock().Advance(2'000);
  const std::string got = Next(*feed.NewSource(kTenant, position));
  EXPECT_NE(got.find(missed), std::string::npos) << got;
  EXPECT_EQ(got.find("resync"), std::string::npos) << got;
}

TEST_F(EventFeedTest, WhoWasAwayTooLongOrMissedTooMuchListsAgain) {
  EventFeed feed(database_, fake_.runtime(), {.changes_max = 1, .catch_up_max_ms = 60'000});
  const int64_t now_ms = fake_.clock().NowMs();
  const auto gets = [&](const std::string& position) {
    return Next(*feed.NewSource(kTenant, position));
  };
  EXPECT_NE(gets("t" + std::to_string(now_ms - 61'000)).find("resync"), std::string::npos);
  EXPECT_NE(gets("nonsense").find("resync"), std::string::npos);
  EXPECT_NE(gets("t").find("resync"), std::string::npos);
  EXPECT_EQ(gets("t" + std::to_string(now_ms - 1'000)).find("resync"), std::string::npos);
  for (int i = 0; i < 1'100; ++i) Create("many");
  EXPECT_NE(gets("t" + std::to_string(now_ms - 1'000)).find("resync"), std::string::npos);
}

// One request may be as large as the title here, and many of these are cheap to send.
constexpr size_t kLarge = 4'000;
constexpr size_t kPart = 10'000;

TEST_F(EventFeedTest, KeepsNoMoreThanItsBytes) {
  EventFeed feed(database_, fake_.runtime(), {.bytes_max = 5 * kLarge});
  const auto source = feed.NewSource(kTenant, "");
  Next(*source);
  fake_.clock().Advance(100);
  for (int i = 0; i < 10; ++i) Create(std::string(kLarge, 'x'));
  fake_.clock().Advance(100);
  const std::string got = Next(*source);
  EXPECT_EQ(Count(got, "event: resync"), 1);
  EXPECT_EQ(Count(got, "event: job"), 4) << "with what else they say, five are more";
  fake_.clock().Advance(100);
  Create(std::string(20 * kLarge, 'x'));
  fake_.clock().Advance(100);
  EXPECT_EQ(Count(Next(*source), "event: job"), 1) << "who is not behind gets each";
}

TEST_F(EventFeedTest, AStreamGetsManyAtOnceInPartsAndEachOnce) {
  EventFeed feed(database_, fake_.runtime(), {.part_bytes_max = kPart});
  const auto source = feed.NewSource(kTenant, "");
  Next(*source);
  fake_.clock().Advance(100);
  for (int i = 0; i < 10; ++i) Create(std::string(kLarge, 'x'));
  fake_.clock().Advance(100);
  int jobs = 0;
  for (std::string part = Next(*source); !part.empty(); part = Next(*source)) {
    EXPECT_LE(part.size(), kPart + 2 * kLarge);
    EXPECT_EQ(Count(part, "resync"), 0);
    jobs += Count(part, "event: job");
  }
  EXPECT_EQ(jobs, 10);
}

TEST_F(EventFeedTest, WhatAClientMissedComesInPartsTooAndThenWhatIsNew) {
  const std::string position = "t" + std::to_string(fake_.clock().NowMs());
  fake_.clock().Advance(20'000);
  std::set<std::string> missed;
  for (int i = 0; i < 120; ++i) {
    missed.insert(Create(std::string(kLarge, 'x')));
    fake_.clock().Advance(1);
  }
  fake_.clock().Advance(20'000);
  EventFeed feed(database_, fake_.runtime(), {.part_bytes_max = kPart});
  const auto tell = [&](const std::string& from, int parts_max) {
    std::string all;
    const auto source = feed.NewSource(kTenant, from);
    for (std::string part = Next(*source); !part.empty() && parts_max-- > 0; part = Next(*source)) {
      EXPECT_LE(part.size(), kPart + 2 * kLarge);
      all += part;
      fake_.clock().Advance(100);
    }
    return all;
  };
  store_.most_at_once = 0;
  const std::string begun = tell(position, 3);
  const std::string new_one = Create("new");
  // Goes on where it broke off; before that are the changes of the overlap alone.
  const std::string all = begun + tell(LastId(begun), 1'000);
  for (const std::string& id : missed) EXPECT_NE(all.find(id), std::string::npos) << id;
  EXPECT_EQ(Count(all, "resync"), 0);
  EXPECT_NE(all.find(new_one), std::string::npos);
  EXPECT_GT(all.find(new_one), all.find(*missed.rbegin()));
  EXPECT_LE(store_.most_at_once, 50u) << "each may be as large as a body";
}

// Its part has room, but so many of others' changes are before it that other streams have their
// turn.
TEST_F(EventFeedTest, WhatIsNewIsNotToldBeforeWhatWasMissed) {
  const std::string position = "t" + std::to_string(fake_.clock().NowMs());
  fake_.clock().Advance(20'000);
  for (int i = 0; i < 1'050; ++i) Create("of another", "other");
  fake_.clock().Advance(1);
  const std::string missed = Create("missed");
  fake_.clock().Advance(20'000);
  EventFeed feed(database_, fake_.runtime());
  const auto source = feed.NewSource(kTenant, position);
  const std::string new_one = Create("new");
  EXPECT_EQ(Count(Next(*source), "event:"), 0);
  const std::string got = Next(*source);
  EXPECT_NE(got.find(missed), std::string::npos) << got;
  EXPECT_GT(got.find(new_one), got.find(missed)) << got;
  EXPECT_NE(got.find(new_one), std::string::npos) << got;
}

// Servers come first: a position among the jobs is behind all of them.
TEST_F(EventFeedTest, ABreakWhileServersAreToldLosesNoJob) {
  const std::string position = "t" + std::to_string(fake_.clock().NowMs());
  fake_.clock().Advance(20'000);
  const std::string job = Create("the pier");
  fake_.clock().Advance(20'000);
  Say({.id = "one", .updated_at = fake_.clock().NowMs()}, a4c::Expect::Absent());
  fake_.clock().Advance(20'000);
  EventFeed feed(database_, fake_.runtime(), {.part_bytes_max = 50});
  const std::string begun = Next(*feed.NewSource(kTenant, position, true));
  EXPECT_EQ(Count(begun, "event: host"), 1) << begun;
  EXPECT_EQ(Count(begun, "event: job"), 0) << begun;
  const auto source = feed.NewSource(kTenant, LastId(begun), true);
  const std::string rest = Next(*source) + Next(*source);
  EXPECT_NE(rest.find(job), std::string::npos) << rest;
  EXPECT_EQ(Count(rest, "resync"), 0) << rest;
}

TEST_F(EventFeedTest, ManyHintsAreReadAFewAtATime) {
  EventFeed feed(database_, fake_.runtime());
  const auto tail = feed.NewTail(bus_, "job-sync", "events-one");
  const auto source = feed.NewSource(kTenant, "");
  Next(*source);
  Subscribe(*tail);
  Hint(120);
  store_.most_at_once = 0;
  ASSERT_TRUE(tail->Step(Within()));
  EXPECT_EQ(store_.most_at_once, 50u);
}

}  // namespace
}  // namespace a4cd::testing
