#include "single_flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "a4c/sinks.h"

namespace a4c::baremetal {
namespace {

const Runtime& TestRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}
Call Soon() {
  return Call::Within(TestRuntime().clock, 60'000);
}

class OneOfMany : public ::testing::Test {
 protected:
  // What `count` threads get that want the same, the first of which waits in its work until all
  // others have had the time to come: they either wait for it, or work themselves.
  std::vector<Result<ImageInfo>> Race(int count, const SingleFlight::Work& work) {
    std::vector<Result<ImageInfo>> results(static_cast<size_t>(count),
                                           Error(Code::kInternal, "none"));
    std::atomic<int> started = 0;
    std::vector<std::jthread> threads;
    for (Result<ImageInfo>& result : results) {
      threads.emplace_back([&] {
        ++started;
        result = flights_.Run(Soon(), "key", [&] {
          ++works_;
          while (started < count) std::this_thread::yield();
          return work();
        });
      });
    }
    threads.clear();
    return results;
  }

  SingleFlight flights_{TestRuntime()};
  std::atomic<int> works_ = 0;
};

TEST_F(OneOfMany, AllGetWhatTheOneGot) {
  // Late comers find the flight landed and make their own: so the work itself is what may be
  // repeated, never what it answers while others wait.
  std::atomic<int> in_flight = 0;
  const auto results = Race(8, [&]() -> Result<ImageInfo> {
    EXPECT_EQ(++in_flight, 1) << "two are at it";
    --in_flight;
    return ImageInfo{"app:1", "sha256:1", 5};
  });
  for (const auto& result : results) {
    ASSERT_TRUE(result) << result.error().ToString();
    EXPECT_EQ(result->digest, "sha256:1");
  }
}

TEST_F(OneOfMany, WhoWaitsIsToldOfTheFailure) {
  const auto results =
      Race(4, [&]() -> Result<ImageInfo> { return Error(Code::kNotFound, "no such image"); });
  for (const auto& result : results) EXPECT_EQ(result.error().code(), Code::kNotFound);
}

TEST_F(OneOfMany, WhoeverGivesUpLeavesTheWorkToTheNext) {
  std::atomic<int> tries = 0;
  const auto results = Race(4, [&]() -> Result<ImageInfo> {
    if (++tries == 1) return Error(Code::kTimeout, "the first one's deadline");
    return ImageInfo{"app:1", "sha256:1", 5};
  });
  int gave_up = 0;
  for (const auto& result : results) gave_up += result ? 0 : 1;
  EXPECT_EQ(gave_up, 1);
}

TEST_F(OneOfMany, AWaitEndsAtTheDeadline) {
  std::atomic<bool> done = false;
  std::atomic<bool> at_it = false;
  std::jthread first([&] {
    (void)flights_.Run(Soon(), "key", [&]() -> Result<ImageInfo> {
      at_it = true;
      while (!done) std::this_thread::yield();
      return ImageInfo{};
    });
  });
  while (!at_it) std::this_thread::yield();
  const auto result =
      flights_.Run(Call::Within(TestRuntime().clock, 10), "key",
                   []() -> Result<ImageInfo> { return Error(Code::kInternal, "not reached"); });
  done = true;
  EXPECT_EQ(result.error().code(), Code::kTimeout) << result.error().ToString();
}

TEST_F(OneOfMany, AWorkThatThrowsKeepsNobodyWaiting) {
  EXPECT_THROW((void)flights_.Run(Soon(), "key",
                                  []() -> Result<ImageInfo> { throw std::runtime_error("odd"); }),
               std::runtime_error);
  const auto next = flights_.Run(Soon(), "key", []() -> Result<ImageInfo> { return ImageInfo{}; });
  EXPECT_TRUE(next);
}

}  // namespace
}  // namespace a4c::baremetal
