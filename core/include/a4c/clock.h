// Time, randomness, threads and waiting: the four things that make a run differ from the last one.
// Nothing in a4c takes them from anywhere else, so that a test can hold time still and the
// simulation can run several instances of everything from one seed, on virtual time.
//
// A process makes one Runtime (SystemRuntime(), or a test's own) and hands it down by reference;
// the Runtime outlives everything that was given it. All methods [any thread].
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "a4c/export.h"

namespace a4c {

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since the Unix epoch, UTC. May jump: for showing and recording, never for
  // measuring.
  virtual int64_t NowMs() const = 0;
  // Nanoseconds since some start; never goes back. Deadlines and leases are measured with it.
  virtual int64_t MonotonicNs() const = 0;
  int64_t MonotonicMs() const { return MonotonicNs() / 1'000'000; }
};

class Random {
 public:
  virtual ~Random() = default;
  // 64 uniformly distributed bits. The system's are fit for secrets.
  virtual uint64_t Next() = 0;
};

// A monitor: one mutex and one condition. The only place, besides a plugin call, where code blocks.
//   Waiter::Lock lock(*waiter);
//   while (queue.empty() && !stop.stop_requested()) waiter->Wait(deadline_ms);   // lock is held
//   again
// Wake-ups may be spurious. A lock is never held across a plugin call: the simulation asserts it.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void Acquire() = 0;
  virtual void Release() = 0;
  // Called with the lock held; gives it up until NotifyAll or until Clock::MonotonicMs() reaches
  // deadline_ms, whichever is first (kForever: no deadline).
  virtual void Wait(int64_t deadline_ms) = 0;
  virtual void NotifyAll() = 0;

  static constexpr int64_t kForever = INT64_MAX;

  class Lock {
   public:
    explicit Lock(Waiter& waiter) : waiter_(waiter) { waiter_.Acquire(); }
    ~Lock() { waiter_.Release(); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    Waiter& waiter_;
  };
};

// A started thread. The destructor asks it to stop and joins it.
class Thread {
 public:
  virtual ~Thread() = default;
  virtual void RequestStop() = 0;
  // Waits until the body has returned. [not from the thread itself]
  virtual void Join() = 0;
};

class Threads {
 public:
  virtual ~Threads() = default;
  // Runs body(stop) on a thread called name (15 characters are shown by the kernel).
  // The body returns soon after stop is requested; a Waiter that it waits on has to be notified
  // too.
  virtual std::unique_ptr<Thread> Start(const std::string& name,
                                        std::function<void(std::stop_token)> body) = 0;
  virtual std::unique_ptr<Waiter> NewWaiter() = 0;
};

class LogSink;
class MetricSink;

// Everything that comes from outside, by reference: copy it freely.
struct Runtime {
  Clock& clock;
  Random& random;
  Threads& threads;
  LogSink& log;
  MetricSink& metrics;
};

// The machine's clock, getrandom(2) and std::thread, with these sinks. The three live until exit.
A4C_API Runtime SystemRuntime(LogSink& log, MetricSink& metrics);

}  // namespace a4c
