#include "a4c/group_commit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "tests/unit/collection/fixture.h"

namespace a4c::testing {
namespace {

Kind Plain() {
  return Kind{.name = "plain"};
}

WriteBatch Create(const std::string& id) {
  return {{a4c::Put{.ref = {"plain", {"", id}}, .body = "{}", .expect = Expect::Absent()}}};
}

class GroupCommitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<Kind> kinds = {Plain()};
    ASSERT_TRUE(memory_->Ensure(Within(), kinds));
  }
  Call Within(int64_t timeout_ms = 60'000) const { return fake_.Within(timeout_ms); }

  // Holds the first Apply below until `others` callers have queued up behind it, and until `more`.
  void HoldFirstUntilQueued(int others, const std::atomic<bool>* more = nullptr) {
    store_.on_apply = [this, others, more](Store& store, const Call& call,
                                           std::span<const WriteBatch> batches) {
      if (calls_.fetch_add(1) == 0) {
        EXPECT_TRUE(fake_.clock().AwaitWaiting(others));
        while (more != nullptr && !*more) std::this_thread::yield();
      }
      sizes_.push_back(batches.size());
      return store.Apply(call, batches);
    };
  }

  FakeRuntime fake_;
  std::unique_ptr<Store> memory_ = NewMemoryStore(fake_.runtime());
  HookedStore store_{*memory_};
  std::atomic<int> calls_{0};
  std::atomic<bool> refused_{false};
  int turns_ = 0;
  std::vector<size_t> sizes_;
};

TEST_F(GroupCommitTest, CallersThatArriveDuringACommitShareTheNextOne) {
  const auto grouped = NewGroupCommit(store_, fake_.runtime(), {.flushers = 1});
  HoldFirstUntilQueued(8);
  std::vector<std::jthread> callers;
  std::atomic<int> applied{0};
  const auto create = [&](int i) {
    const WriteBatch batch = Create("id-" + std::to_string(i));
    const auto answer = grouped->Apply(Within(), std::span(&batch, 1));
    if (answer && answer->results[0].outcome == BatchOutcome::kApplied) ++applied;
  };
  callers.emplace_back(create, 0);
  while (calls_ == 0) std::this_thread::yield();
  for (int i = 1; i <= 8; ++i) callers.emplace_back(create, i);
  callers.clear();
  EXPECT_EQ(applied, 9);
  EXPECT_EQ(sizes_, (std::vector<size_t>{1, 8}));
}

// With several flushers a leader may take the request of another before that one has begun to lead.
TEST_F(GroupCommitTest, NoLeadIsLostWhenLeadersTakeEachOthersRequests) {
  const auto grouped =
      NewGroupCommit(store_, fake_.runtime(), {.flushers = 2, .group_batches_max = 2});
  constexpr int kCallers = 8;
  constexpr int kRounds = 300;
  std::atomic<int> applied{0};
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        for (int round = 0; round < kRounds; ++round) {
          const std::string id = std::to_string(caller) + "-" + std::to_string(round);
          const std::vector<WriteBatch> batches = {Create(id + "a"), Create(id + "b"),
                                                   Create(id + "c")};
          const auto count = static_cast<size_t>(1 + (caller + round) % 3);
          const auto answer = grouped->Apply(Within(), std::span(batches).first(count));
          if (answer && answer->results.size() == count) ++applied;
        }
      });
    }
  }
  EXPECT_EQ(applied, kCallers * kRounds);
}

TEST_F(GroupCommitTest, EachCallerGetsTheFateOfItsOwnBatches) {
  const auto grouped = NewGroupCommit(store_, fake_.runtime(), {.flushers = 1});
  const WriteBatch taken = Create("taken");
  ASSERT_TRUE(grouped->Apply(Within(), std::span(&taken, 1)));
  calls_ = 0;
  HoldFirstUntilQueued(2);
  std::vector<BatchOutcome> outcomes(3);
  std::vector<std::jthread> callers;
  const auto create = [&](size_t i, const std::string& id) {
    const WriteBatch batch = Create(id);
    const auto answer = grouped->Apply(Within(), std::span(&batch, 1));
    if (answer) outcomes[i] = answer->results[0].outcome;
  };
  callers.emplace_back(create, 0, "first");
  while (calls_ == 0) std::this_thread::yield();
  callers.emplace_back(create, 1, "taken");
  callers.emplace_back(create, 2, "free");
  callers.clear();
  EXPECT_EQ(outcomes[0], BatchOutcome::kApplied);
  EXPECT_EQ(outcomes[1], BatchOutcome::kConflict);
  EXPECT_EQ(outcomes[2], BatchOutcome::kApplied);
}

TEST_F(GroupCommitTest, AFullQueueIsRefusedAtOnce) {
  const std::vector<GroupCommitOptions> bounds = {{.flushers = 1, .queue_batches_max = 2},
                                                  {.flushers = 1, .queue_bytes_max = 500}};
  for (const GroupCommitOptions& options : bounds) {
    const auto grouped = NewGroupCommit(store_, fake_.runtime(), options);
    const std::string turn = std::to_string(++turns_);
    calls_ = 0;
    HoldFirstUntilQueued(1, &refused_);
    std::vector<std::jthread> callers;
    const auto create = [&](const std::string& id) {
      const std::vector<WriteBatch> two = {Create(std::string(id).append("1-").append(turn)),
                                           Create(std::string(id).append("2-").append(turn))};
      EXPECT_TRUE(grouped->Apply(Within(), two));
    };
    callers.emplace_back(create, "in flight");
    while (calls_ == 0) std::this_thread::yield();
    callers.emplace_back(create, "waiting");
    ASSERT_TRUE(fake_.clock().AwaitWaiting(1));
    const WriteBatch third = Create("refused");
    const auto answer = grouped->Apply(Within(), std::span(&third, 1));
    refused_ = true;
    callers.clear();
    refused_ = false;
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Code::kExhausted);
    EXPECT_TRUE(answer.error().retryable());
  }
}

TEST_F(GroupCommitTest, ACallThatAloneIsPastTheBoundsGoesAlone) {
  const auto grouped = NewGroupCommit(
      store_, fake_.runtime(),
      {.group_batches_max = 1, .group_bytes_max = 1, .queue_batches_max = 1, .queue_bytes_max = 1});
  const std::vector<WriteBatch> two = {Create("a"), Create("b")};
  const auto answer = grouped->Apply(Within(), two);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->results[1].outcome, BatchOutcome::kApplied);
}

TEST_F(GroupCommitTest, AGroupStaysWithinItsBounds) {
  for (const GroupCommitOptions& options :
       {GroupCommitOptions{.flushers = 1, .group_batches_max = 2},
        GroupCommitOptions{.flushers = 1, .group_bytes_max = 500}}) {
    const auto grouped = NewGroupCommit(store_, fake_.runtime(), options);
    const std::string turn = std::to_string(++turns_);
    sizes_.clear();
    calls_ = 0;
    HoldFirstUntilQueued(5);
    std::vector<std::jthread> callers;
    for (int i = 0; i <= 5; ++i) {
      callers.emplace_back([&, i] {
        const WriteBatch batch = Create(turn + "-" + std::to_string(i));
        EXPECT_TRUE(grouped->Apply(Within(), std::span(&batch, 1)));
      });
      while (calls_ == 0) std::this_thread::yield();
    }
    callers.clear();
    EXPECT_EQ(sizes_, (std::vector<size_t>{1, 2, 2, 1}));
  }
}

TEST_F(GroupCommitTest, AnErrorThatIsOnesOwnIsNotToldToTheOthers) {
  const auto grouped = NewGroupCommit(store_, fake_.runtime(), {.flushers = 1});
  std::atomic<int> gets{0};
  store_.on_get = [&](Store& store, const Call& call, std::span<const RecordRef> refs) {
    if (gets.fetch_add(1) == 0) {
      EXPECT_TRUE(fake_.clock().AwaitWaiting(2));
    }
    return store.Get(call, refs);
  };
  std::array<std::optional<Code>, 3> codes;
  const auto get = [&](size_t i, const std::string& kind) {
    const RecordRef ref{kind, {"", "a"}};
    const auto answer = grouped->Get(Within(), std::span(&ref, 1));
    if (!answer) codes[i] = answer.error().code();
  };
  std::vector<std::jthread> callers;
  callers.emplace_back(get, 0, "plain");
  while (gets == 0) std::this_thread::yield();
  callers.emplace_back(get, 1, "nonsense");
  callers.emplace_back(get, 2, "plain");
  callers.clear();
  EXPECT_EQ(codes[0], std::nullopt);
  EXPECT_EQ(codes[1], Code::kInvalid);
  EXPECT_EQ(codes[2], std::nullopt);
}

TEST_F(GroupCommitTest, TheFlushHasTheLatestDeadlineOfTheGroupAndWhoseIsOverIsLeftOut) {
  const auto grouped = NewGroupCommit(store_, fake_.runtime(), {.flushers = 1});
  std::atomic<bool> release{false};
  std::vector<int64_t> remaining_ms;
  store_.on_apply = [&](Store& store, const Call& call, std::span<const WriteBatch> batches) {
    if (calls_.fetch_add(1) == 0) {
      while (!release) std::this_thread::yield();
    }
    remaining_ms.push_back(call.RemainingMs());
    sizes_.push_back(batches.size());
    return store.Apply(call, batches);
  };
  std::array<std::optional<Code>, 4> codes;
  const auto create = [&](size_t i, int64_t timeout_ms) {
    const WriteBatch batch = Create("id-" + std::to_string(i));
    const auto answer = grouped->Apply(Within(timeout_ms), std::span(&batch, 1));
    if (!answer) codes[i] = answer.error().code();
  };
  std::vector<std::jthread> callers;
  callers.emplace_back(create, 0, 90'000);
  while (calls_ == 0) std::this_thread::yield();
  callers.emplace_back(create, 1, 5'000);
  callers.emplace_back(create, 2, 60'000);
  callers.emplace_back(create, 3, 1'000);
  ASSERT_TRUE(fake_.clock().AwaitWaiting(3));
  fake_.clock().Advance(1'000);
  callers.pop_back();  // joins the one whose time is over
  release = true;
  callers.clear();
  EXPECT_EQ(codes[1], std::nullopt);
  EXPECT_EQ(codes[2], std::nullopt);
  EXPECT_EQ(codes[3], Code::kTimeout);
  EXPECT_EQ(sizes_, (std::vector<size_t>{1, 2}));
  EXPECT_EQ(remaining_ms, (std::vector<int64_t>{89'000, 59'000}));
}

TEST_F(GroupCommitTest, AGroupMayTouchWhatItsCallersMayAndNobodyMoreThanHisOwn) {
  const auto grouped = NewGroupCommit(store_, fake_.runtime(), {.flushers = 1});
  std::atomic<bool> release{false};
  std::vector<std::optional<ScopeSet>> touched;
  store_.on_apply = [&](Store& store, const Call& call, std::span<const WriteBatch> batches) {
    if (calls_.fetch_add(1) == 0) {
      while (!release) std::this_thread::yield();
    }
    touched.push_back(call.scopes == nullptr ? std::nullopt : std::optional(*call.scopes));
    return store.Apply(call, batches);
  };
  const ScopeSet a = {"a"};
  const ScopeSet b = {"b", "b too"};
  std::atomic<int> applied{0};
  const auto create = [&](const ScopeSet* scopes, const std::string& scope) {
    Call call = Within();
    call.scopes = scopes;
    const WriteBatch batch{{a4c::Put{.ref = {"plain", {scope, "id"}}, .body = "{}"}}};
    const auto answer = grouped->Apply(call, std::span(&batch, 1));
    if (answer && answer->results[0].outcome == BatchOutcome::kApplied) ++applied;
  };
  std::vector<std::jthread> callers;
  callers.emplace_back(create, nullptr, "first");
  while (calls_ == 0) std::this_thread::yield();
  callers.emplace_back(create, &a, "a");
  callers.emplace_back(create, &b, "b");
  callers.emplace_back(create, nullptr, "c");
  ASSERT_TRUE(fake_.clock().AwaitWaiting(3));
  release = true;
  callers.clear();
  EXPECT_EQ(applied, 4);
  EXPECT_EQ(touched,
            (std::vector<std::optional<ScopeSet>>{std::nullopt, ScopeSet{"a", "b", "b too", "c"}}));
  create(&a, "b");
  EXPECT_EQ(applied, 4) << "refused, and not gathered with others";
  EXPECT_EQ(touched.back(), a);
}

TEST_F(GroupCommitTest, ACallerWhoseDeadlinePassesInFlightDoesNotKnowTheOutcome) {
  const auto grouped = NewGroupCommit(store_, fake_.runtime(), {.flushers = 1});
  std::atomic<bool> release{false};
  store_.on_apply = [&](Store& store, const Call& call, std::span<const WriteBatch> batches) {
    const bool first = calls_.fetch_add(1) == 0;
    while (!first && !release) std::this_thread::yield();
    if (first) {
      EXPECT_TRUE(fake_.clock().AwaitWaiting(2));
    }
    return store.Apply(call, batches);
  };
  std::array<std::atomic<Code>, 2> codes{Code::kInternal, Code::kInternal};
  const auto create = [&](const std::string& id, int64_t timeout_ms, std::atomic<Code>* code) {
    const WriteBatch batch = Create(id);
    const auto answer = grouped->Apply(Within(timeout_ms), std::span(&batch, 1));
    if (!answer && code != nullptr) *code = answer.error().code();
  };
  std::vector<std::jthread> callers;
  callers.emplace_back(create, "first", 60'000, nullptr);
  while (calls_ == 0) std::this_thread::yield();
  // One of these two leads the second commit, the other rides along and runs out of time.
  callers.emplace_back(create, "second", 1'000, &codes[0]);
  callers.emplace_back(create, "third", 1'000, &codes[1]);
  while (calls_ < 2) std::this_thread::yield();
  EXPECT_TRUE(fake_.clock().AwaitWaiting(1));
  fake_.clock().Advance(2'000);
  while (codes[0] == Code::kInternal && codes[1] == Code::kInternal) std::this_thread::yield();
  release = true;
  callers.clear();
  EXPECT_EQ(
      std::ranges::count_if(codes, [](const auto& code) { return code == Code::kUnknownOutcome; }),
      1);
}

}  // namespace
}  // namespace a4c::testing
