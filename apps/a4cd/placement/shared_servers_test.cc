#include "apps/a4cd/placement/shared_servers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>

#include "a4c/sinks.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Result;
using a4c::Runtime;
using a4c::Waiter;

const Runtime& TheRuntime() {
  static const Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  return runtime;
}

// A number that threads change and wait for.
class Number {
 public:
  void Add(int more = 1) {
    const Waiter::Lock lock(*waiter_);
    number_ += more;
    waiter_->NotifyAll();
  }
  void Await(int at_least) {
    const Waiter::Lock lock(*waiter_);
    while (number_ < at_least) waiter_->Wait(Waiter::kForever);
  }

 private:
  const std::unique_ptr<Waiter> waiter_ = TheRuntime().threads.NewWaiter();
  int number_ = 0;
};

// Who waits for the reading of another looks at the clock, once it has asked.
class LookedAtClock final : public a4c::Clock {
 public:
  int64_t NowMs() const override { return 0; }
  int64_t MonotonicNs() const override {
    looks.Add();
    return now_ns;
  }
  mutable Number looks;
  mutable std::atomic<int64_t> now_ns = 0;
};

// Servers that are read when the test says so; what is read is the number of the reading.
class SharedServersTest : public testing::Test {
 protected:
  static constexpr int64_t kLater = 1'000'000'000'000;

  // Asks on a thread of its own.
  struct Ask {
    LookedAtClock clock;
    std::shared_ptr<SharedServers::Reading> got;
    std::string error;
    std::unique_ptr<a4c::Thread> thread;

    std::string Got() {
      thread->Join();
      return got == nullptr ? error : got->servers.at(0).id;
    }
  };
  std::unique_ptr<Ask> Begin() {
    auto ask = std::make_unique<Ask>();
    ask->thread = TheRuntime().threads.Start("ask", [this, to = ask.get()](const auto&) {
      auto answer = servers_.Take(Call{to->clock, kLater});
      if (answer) {
        to->got = *std::move(answer);
      } else {
        to->error = answer.error().message();
      }
    });
    return ask;
  }

  Result<std::vector<Server>> Read(const Call& call) {
    const int mine = ++count_;
    begun_.Add();
    may_end_.Await(mine);
    if (mine == expiring_) {
      static_cast<const LookedAtClock&>(call.clock).now_ns = 2 * kLater * 1'000'000;
      return a4c::Error(a4c::Code::kTimeout, "its time is up");
    }
    if (is_away_) return a4c::Error(a4c::Code::kUnavailable, "away");
    return std::vector<Server>{{.id = std::to_string(mine), .total = {}, .committed = {}}};
  }

  Number begun_, may_end_;
  std::atomic<int> count_ = 0;
  std::atomic<bool> is_away_ = false;
  std::atomic<int> expiring_ = 0;  // the reading in which its reader's time runs out
  SharedServers servers_{TheRuntime(), [this](const Call& call) { return Read(call); }};
};

TEST_F(SharedServersTest, WhoAsksDuringAReadingSharesTheNextOne) {
  const auto first = Begin();
  begun_.Await(1);
  const auto second = Begin();
  const auto third = Begin();
  second->clock.looks.Await(1);
  third->clock.looks.Await(1);
  may_end_.Add(2);
  EXPECT_EQ(first->Got(), "1");
  EXPECT_EQ(second->Got(), "2");
  EXPECT_EQ(third->Got(), "2");
  EXPECT_EQ(second->got, third->got);
}

TEST_F(SharedServersTest, NobodyGetsAReadingThatIsOver) {
  may_end_.Add(2);
  EXPECT_EQ(Begin()->Got(), "1");
  EXPECT_EQ(Begin()->Got(), "2");
}

TEST_F(SharedServersTest, AReadingThatFailsSaysSoAndTheNextAskReadsAnew) {
  is_away_ = true;
  may_end_.Add(2);
  EXPECT_EQ(Begin()->Got(), "away");
  is_away_ = false;
  EXPECT_EQ(Begin()->Got(), "2");
}

// Whichever of the two is the reader.
TEST_F(SharedServersTest, WhoeverWaitedReadsAgainIfTheReadersTimeIsUp) {
  const auto first = Begin();
  begun_.Await(1);
  const auto second = Begin();
  const auto third = Begin();
  second->clock.looks.Await(1);
  third->clock.looks.Await(1);
  expiring_ = 2;
  may_end_.Add(3);
  const std::set<std::string> got = {second->Got(), third->Got()};
  EXPECT_EQ(got, (std::set<std::string>{"3", "its time is up"}));
}

TEST_F(SharedServersTest, WhoseTimeIsUpDoesNotWaitForAnother) {
  const auto first = Begin();
  begun_.Await(1);
  const LookedAtClock clock;
  const auto late = servers_.Take(Call{clock, 0});
  may_end_.Add();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), a4c::Code::kTimeout);
  EXPECT_EQ(first->Got(), "1");
}

}  // namespace
}  // namespace a4cd
