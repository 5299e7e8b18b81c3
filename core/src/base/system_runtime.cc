#include <pthread.h>
#include <sys/random.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "a4c/clock.h"

namespace a4c {
namespace {

class SystemClock final : public Clock {
 public:
  int64_t NowMs() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
  int64_t MonotonicNs() const override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  }
};

// Asks the kernel for 32 numbers at once. A number is wiped as it is given: it may become a key.
class SystemRandom final : public Random {
 public:
  uint64_t Next() override {
    thread_local Pool pool;
    if (pool.left == 0) Fill(pool);
    return std::exchange(pool.numbers[--pool.left], 0);
  }

 private:
  struct Pool {
    std::array<uint64_t, 32> numbers = {};
    size_t left = 0;
  };
  static void Fill(Pool& pool) {
    // Up to 256 bytes are never cut short by a signal, and the kernel's pool is ready long before
    // us.
    if (getrandom(pool.numbers.data(), sizeof(pool.numbers), 0) != ssize_t{sizeof(pool.numbers)}) {
      std::abort();
    }
    pool.left = pool.numbers.size();
  }
};

class SystemWaiter final : public Waiter {
 public:
  void Acquire() override { mutex_.lock(); }
  void Release() override { mutex_.unlock(); }
  void Wait(int64_t deadline_ms) override {
    std::unique_lock lock(mutex_, std::adopt_lock);
    if (deadline_ms == kForever) {
      condition_.wait(lock);
    } else {
      condition_.wait_until(
          lock, std::chrono::steady_clock::time_point(std::chrono::milliseconds(deadline_ms)));
    }
    lock.release();
  }
  void NotifyAll() override { condition_.notify_all(); }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
};

class SystemThread final : public Thread {
 public:
  SystemThread(const std::string& name, std::function<void(std::stop_token)> body)
      : thread_([name = name.substr(0, 15), body = std::move(body)](std::stop_token stop) {
          pthread_setname_np(pthread_self(), name.c_str());
          body(std::move(stop));
        }) {}
  void RequestStop() override { thread_.request_stop(); }
  void Join() override {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::jthread thread_;
};

class SystemThreads final : public Threads {
 public:
  std::unique_ptr<Thread> Start(const std::string& name,
                                std::function<void(std::stop_token)> body) override {
    return std::make_unique<SystemThread>(name, std::move(body));
  }
  std::unique_ptr<Waiter> NewWaiter() override { return std::make_unique<SystemWaiter>(); }
};

}  // namespace

Runtime SystemRuntime(LogSink& log, MetricSink& metrics) {
  static auto* clock = new SystemClock;
  static auto* random = new SystemRandom;
  static auto* threads = new SystemThreads;
  return Runtime{*clock, *random, *threads, log, metrics};
}

}  // namespace a4c
