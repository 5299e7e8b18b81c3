#include "sqlite_groups.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>

#include "tests/support/fake_clock.h"

namespace a4c::sqlite {
namespace {

// A leader whose first commit takes until it is let go.
class GroupsTest : public ::testing::Test {
 protected:
  Result<void> Join(const Call& call) {
    Groups::Member member(call);
    const Result<void> joined =
        groups_.Join(member, [this](std::span<Groups::Member* const> group) {
          sizes_.push_back(group.size());
          if (sizes_.size() > 1) return;
          begun_.count_down();
          let_go_.wait();
        });
    EXPECT_TRUE(!joined || member.done);
    return joined;
  }
  // Starts the leader, and returns when it commits.
  std::jthread Lead() {
    std::jthread leader([this] { EXPECT_TRUE(Join(fake_.Within(60'000)).has_value()); });
    begun_.wait();
    return leader;
  }

  testing::FakeRuntime fake_;
  Groups groups_{fake_.runtime(), 4, 6};
  std::vector<size_t> sizes_;  // of the groups that were committed
  std::latch begun_{1};
  std::latch let_go_{1};
};

TEST_F(GroupsTest, WhoComesDuringACommitSharesTheNext) {
  std::jthread leader = Lead();
  std::vector<std::jthread> others;
  for (int i = 0; i < 6; ++i) {
    others.emplace_back([this] { EXPECT_TRUE(Join(fake_.Within(60'000)).has_value()); });
  }
  ASSERT_TRUE(fake_.clock().AwaitWaiting(6));
  let_go_.count_down();
  leader.join();
  others.clear();
  EXPECT_EQ(sizes_, (std::vector<size_t>{1, 4, 2})) << "at most four at once";
}

TEST_F(GroupsTest, TheQueueIsBounded) {
  std::jthread leader = Lead();
  std::vector<std::jthread> others;
  for (int i = 0; i < 6; ++i) {
    others.emplace_back([this] { EXPECT_TRUE(Join(fake_.Within(60'000)).has_value()); });
  }
  ASSERT_TRUE(fake_.clock().AwaitWaiting(6));
  const Result<void> refused = Join(fake_.Within(60'000));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::kExhausted);
  let_go_.count_down();
}

TEST_F(GroupsTest, WhoseTimeIsOverLeavesTheQueue) {
  std::jthread leader = Lead();
  std::jthread late([this] {
    const Result<void> joined = Join(fake_.Within(1'000));
    EXPECT_FALSE(joined.has_value());
    if (!joined) {
      EXPECT_EQ(joined.error().code(), Code::kTimeout);
    }
  });
  ASSERT_TRUE(fake_.clock().AwaitWaiting(1));
  fake_.clock().Advance(1'000);
  late.join();
  let_go_.count_down();
  leader.join();
  EXPECT_EQ(sizes_, std::vector<size_t>{1});
}

TEST_F(GroupsTest, AloneWaitsForTheCommitAndKeepsOthersOut) {
  std::jthread leader = Lead();
  std::atomic<bool> led = true;
  std::jthread alone([&] {
    EXPECT_TRUE(groups_
                    .Alone(fake_.Within(60'000),
                           [&]() -> Result<void> {
                             EXPECT_FALSE(led);
                             return {};
                           })
                    .has_value());
  });
  ASSERT_TRUE(fake_.clock().AwaitWaiting(1));
  led = false;
  let_go_.count_down();
}

TEST_F(GroupsTest, AThrowOfTheCommitEndsTheLead) {
  const Call call = fake_.Within(60'000);
  Groups::Member member(call);
  EXPECT_THROW((void)groups_.Join(member, [](auto) { throw std::runtime_error("no memory"); }),
               std::runtime_error);
  let_go_.count_down();
  EXPECT_TRUE(Join(call).has_value()) << "the next one leads";
}

}  // namespace
}  // namespace a4c::sqlite
