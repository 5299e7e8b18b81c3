#include "apps/at_once/at_once.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fake_clock.h"

namespace a4c_at_once {
namespace {

// Counts the threads that are started.
class CountedThreads final : public a4c::Threads {
 public:
  explicit CountedThreads(a4c::Threads& inner) : inner_(inner) {}
  std::unique_ptr<a4c::Thread> Start(const std::string& name,
                                     std::function<void(std::stop_token)> body) override {
    ++started;
    return inner_.Start(name, std::move(body));
  }
  std::unique_ptr<a4c::Waiter> NewWaiter() override { return inner_.NewWaiter(); }

  int started = 0;

 private:
  a4c::Threads& inner_;
};

class AtOnceTest : public ::testing::Test {
 protected:
  void Run(int threads, size_t count, const std::function<bool(size_t)>& act) {
    AtOnce({fake_.runtime().clock, fake_.runtime().random, threads_, fake_.runtime().log,
            fake_.runtime().metrics},
           threads, count, act);
  }

  a4c::testing::FakeRuntime fake_;
  CountedThreads threads_{fake_.runtime().threads};
};

TEST_F(AtOnceTest, EachOnceAndInOrder) {
  std::vector<size_t> seen;
  Run(1, 5, [&](size_t i) {
    seen.push_back(i);
    return true;
  });
  std::vector<size_t> all(5);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(seen, all);
  EXPECT_EQ(threads_.started, 0) << "the caller's thread is one of them";
}

TEST_F(AtOnceTest, AsManyAtOnceAsThreadsAndNoMore) {
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<int> acts = 0;
  int inside = 0;
  bool all_inside = false;
  Run(3, 12, [&](size_t) {
    ++acts;
    std::unique_lock lock(mutex);
    all_inside = all_inside || ++inside == 3;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(30), [&] { return all_inside; });
    --inside;
    return true;
  });
  EXPECT_TRUE(all_inside);
  EXPECT_EQ(acts.load(), 12);
  EXPECT_EQ(threads_.started, 2);
}

TEST_F(AtOnceTest, NoMoreThreadsThanThereIsToDo) {
  Run(8, 2, [](size_t) { return true; });
  EXPECT_EQ(threads_.started, 1);
  Run(8, 0, [](size_t) { return true; });
  EXPECT_EQ(threads_.started, 1);
}

TEST_F(AtOnceTest, AfterFalseNothingIsBegun) {
  size_t last = 0;
  Run(1, 5, [&](size_t i) {
    last = i;
    return i < 2;
  });
  EXPECT_EQ(last, 2u);
}

}  // namespace
}  // namespace a4c_at_once
