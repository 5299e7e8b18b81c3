#include "tests/support/fake_clock.h"

#include <gtest/gtest.h>

namespace a4c::testing {
namespace {

TEST(FakeClock, StandsStillUntilItIsAdvanced) {
  FakeClock clock;
  const int64_t monotonic = clock.MonotonicMs();
  const int64_t wall = clock.NowMs();
  EXPECT_EQ(clock.MonotonicMs(), monotonic);
  clock.Advance(250);
  EXPECT_EQ(clock.MonotonicMs(), monotonic + 250);
  EXPECT_EQ(clock.NowMs(), wall + 250);
}

TEST(FakeClock, AJumpOfTheWallClockLeavesTheMonotonicOneAlone) {
  FakeClock clock;
  const int64_t monotonic = clock.MonotonicMs();
  const int64_t wall = clock.NowMs();
  clock.JumpWallClock(-5'000);
  EXPECT_EQ(clock.NowMs(), wall - 5'000);
  EXPECT_EQ(clock.MonotonicMs(), monotonic);
}

// Runs a thread that waits for `wait_ms` and then records the time at which it went on.
struct Sleeper {
  explicit Sleeper(FakeRuntime& fake, int64_t wait_ms)
      : waiter(fake.runtime().threads.NewWaiter()),
        deadline_ms(fake.clock().MonotonicMs() + wait_ms),
        thread(fake.runtime().threads.Start("sleeper", [this, &fake](std::stop_token) {
          Waiter::Lock lock(*waiter);
          while (!notified && fake.clock().MonotonicMs() < deadline_ms) waiter->Wait(deadline_ms);
          went_on_at_ms = fake.clock().MonotonicMs();
        })) {}
  std::unique_ptr<Waiter> waiter;
  int64_t deadline_ms;
  bool notified = false;
  int64_t went_on_at_ms = 0;
  std::unique_ptr<Thread> thread;
};

TEST(FakeClock, AWaiterGoesOnWhenTimeReachesItsDeadlineAndNotBefore) {
  FakeRuntime fake;
  Sleeper sleeper(fake, 30'000);
  ASSERT_TRUE(fake.clock().AwaitWaiting(1));
  fake.clock().Advance(29'999);
  ASSERT_TRUE(fake.clock().AwaitWaiting(1));
  fake.clock().Advance(1);
  sleeper.thread->Join();
  EXPECT_EQ(sleeper.went_on_at_ms, sleeper.deadline_ms);
}

TEST(FakeClock, AWaiterGoesOnWhenItIsNotified) {
  FakeRuntime fake;
  Sleeper sleeper(fake, 30'000);
  ASSERT_TRUE(fake.clock().AwaitWaiting(1));
  {
    Waiter::Lock lock(*sleeper.waiter);
    sleeper.notified = true;
    sleeper.waiter->NotifyAll();
  }
  sleeper.thread->Join();
  EXPECT_LT(sleeper.went_on_at_ms, sleeper.deadline_ms);
}

TEST(FakeClock, TimeCanPassAtWaits) {
  FakeRuntime fake(1, Passing::kAtWaits);
  const auto waiter = fake.runtime().threads.NewWaiter();
  const int64_t start = fake.clock().MonotonicMs();
  Waiter::Lock lock(*waiter);
  waiter->Wait(start + 60'000);
  EXPECT_EQ(fake.clock().MonotonicMs(), start + 60'000);
  waiter->Wait(start);
  EXPECT_EQ(fake.clock().MonotonicMs(), start + 60'000);
}

TEST(FakeRuntime, ACallExpiresByItsOwnTime) {
  FakeRuntime fake;
  const Call call = fake.Within(100);
  EXPECT_FALSE(call.Expired());
  fake.clock().Advance(100);
  EXPECT_TRUE(call.Expired());
}

TEST(SeededRandom, GivesTheSameNumbersForTheSameSeed) {
  SeededRandom one(7), same(7), other(8);
  const uint64_t first = one.Next();
  EXPECT_EQ(first, same.Next());
  EXPECT_NE(first, other.Next());
  EXPECT_NE(first, one.Next());
  // The reference value of SplitMix64 for seed 0: other machines draw the same.
  EXPECT_EQ(SeededRandom(0).Next(), 0xe220a8397b1dcdafULL);
}

TEST(RecordingSinks, KeepWhatTheyWereGiven) {
  RecordingLog log;
  LogSink& log_sink = log;
  log_sink.Write(LogLevel::kWarning, "bus", "the broker went away", {{"broker", "b:1"}});
  ASSERT_EQ(log.Entries().size(), 1U);
  EXPECT_EQ(log.Entries()[0].fields.at("broker"), "b:1");
  EXPECT_EQ(log.CountOf("broker"), 1);
  EXPECT_EQ(log.CountOf("broker", LogLevel::kError), 0);

  RecordingMetrics metrics;
  MetricSink& sink = metrics;
  sink.Count("a_total", {{"reason", "x"}}, 2);
  sink.Count("a_total", {{"reason", "y"}}, 3);
  sink.Count("ab_total", {}, 100);
  sink.Gauge("queued", {}, 4);
  sink.Gauge("queued", {}, 5);
  sink.Observe("seconds", {}, 0.5);
  EXPECT_EQ(metrics.CountOf("a_total{reason=\"x\"}"), 2);
  EXPECT_EQ(metrics.CountOf("a_total"), 5);
  EXPECT_EQ(metrics.CountOf("b_total"), 0);
  EXPECT_EQ(metrics.GaugeOf("queued"), 5);
  EXPECT_EQ(metrics.ObservationsOf("seconds"), std::vector<double>{0.5});
}

}  // namespace
}  // namespace a4c::testing
