// The simulation's scheduler: real threads of which exactly one moves at a time, on virtual time.
//
//   Simulation simulation({.seed = 7});
//   simulation.Run([&] { ... start threads by SimRuntime, sleep, join ... });
//   if (!simulation.failure().empty()) ...                     // the seed replays it exactly
//
// Every back-end call, every Acquire and every Wait is a point at which the scheduler hands the
// turn on, to whom is drawn from the seed. When nobody can move, time jumps to the earliest
// deadline. Nothing depends on addresses, thread ids or the machine: one seed is one run, and its
// trace hash says so.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "a4c/clock.h"
#include "a4c/sinks.h"
#include "tests/support/recording_sinks.h"
#include "tests/support/seeded_random.h"

namespace a4c::simulation {

// Unwind a thread: not std::exceptions, so that nobody catches them by mistake.
struct Crashed {};
struct Aborted {};

// An instance of the service, as the scheduler sees it: once it has crashed, every thread in it is
// unwound at its next turn.
struct Process {
  std::string name;
  bool crashed = false;
  bool for_good = false;  // nobody starts it again
  int inside = 0;         // threads that are in it now
};

struct SimulationOptions {
  uint64_t seed = 1;
  int64_t steps_max = 400'000;  // a run that takes more has failed
  bool trace = false;           // print what happens
};

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);
  ~Simulation();

  // Runs root on a thread of its own, and returns when all threads have ended.
  void Run(std::function<void()> root);

  // What follows is for the threads of the run.
  void Yield();
  void Sleep(int64_t ms);
  // The number of the thread that moves.
  int CurrentTask() const;
  int64_t NowNs() const { return now_ns_; }
  int64_t NowMs() const { return now_ns_ / 1'000'000; }
  uint64_t Below(uint64_t bound) { return random_.Next() % bound; }
  bool Chance(int per_mille) { return static_cast<int>(Below(1000)) < per_mille; }
  // The first failure ends the run: it throws, here and in every other thread at its next turn.
  void Fail(const std::string& what);
  // As Fail, but unless the caller is being unwound it goes on: for places that must not throw.
  void Record(const std::string& what);
  // A line of the trace, and part of its hash.
  void Note(std::string_view what);
  // A back end is called: no lock of a Waiter may be held.
  void AtBackend(std::string_view what);

  const std::string& failure() const { return failure_; }
  uint64_t trace_hash() const { return hash_; }
  int64_t steps() const { return steps_; }

  // Threads move in a process between the two.
  class In {
   public:
    In(Simulation& simulation, Process* process);
    ~In();
    In(const In&) = delete;
    In& operator=(const In&) = delete;

   private:
    Process* const before_;
    Process* const process_;
  };
  // While one lives, its thread keeps the turn and does not throw: for destructors, and for what is
  // one step to everybody else.
  class Still {
   public:
    Still();
    ~Still();
    Still(const Still&) = delete;
    Still& operator=(const Still&) = delete;
  };

 private:
  friend class SimWaiter;
  friend class SimThread;
  friend class SimThreads;
  struct Task;

  Task& Start(const std::string& name, std::function<void(std::stop_token)> body, Process* process);
  void Body(Task& task, const std::function<void(std::stop_token)>& body);
  Task* Pick(const Task* self);
  Task* JumpToEarliest();
  std::vector<Task*> Ready() const;
  bool IsReady(const Task& task) const;
  void Switch();
  void CheckAlive() const;
  bool MayMove() const;
  void Mix(uint64_t value);

  static thread_local Task* current_;  // NOLINT(readability-identifier-naming): a member

  const SimulationOptions options_;
  testing::SeededRandom random_;
  int stickiness_ = 0;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::binary_semaphore ended_{0};
  int64_t now_ns_ = 1'000'000'000'000;
  int64_t steps_ = 0;
  uint64_t hash_ = 1469598103934665603ULL;
  std::string failure_;
  bool aborting_ = false;
};

class SimClock final : public Clock {
 public:
  SimClock(const Simulation& simulation, int64_t skew_ms)
      : simulation_(simulation), skew_ms_(skew_ms) {}
  int64_t NowMs() const override { return kStartMs + simulation_.NowMs() + skew_ms_; }
  int64_t MonotonicNs() const override { return simulation_.NowNs(); }
  void Jump(int64_t ms) { skew_ms_ += ms; }

 private:
  static constexpr int64_t kStartMs = 1'767'225'600'000;
  const Simulation& simulation_;
  int64_t skew_ms_;
};

class SimThreads final : public Threads {
 public:
  SimThreads(Simulation& simulation, Process* process)
      : simulation_(simulation), process_(process) {}
  std::unique_ptr<Thread> Start(const std::string& name,
                                std::function<void(std::stop_token)> body) override;
  std::unique_ptr<Waiter> NewWaiter() override;

 private:
  Simulation& simulation_;
  Process* const process_;
};

// A Runtime of one process (null: of nobody, who cannot crash), with a wall clock and a stream of
// random numbers of its own.
class SimRuntime {
 public:
  SimRuntime(Simulation& simulation, Process* process, uint64_t seed, int64_t skew_ms = 0)
      : clock_(simulation, skew_ms), random_(seed), threads_(simulation, process) {}
  const Runtime& runtime() const { return runtime_; }
  SimClock& clock() { return clock_; }
  testing::RecordingMetrics& metrics() { return metrics_; }

 private:
  SimClock clock_;
  testing::SeededRandom random_;
  SimThreads threads_;
  testing::RecordingMetrics metrics_;
  Runtime runtime_{clock_, random_, threads_, NullLogSink(), metrics_};
};

}  // namespace a4c::simulation
