// How far this machine's wall clock is ahead of the store's. Jobs are stamped by the one and
// claimed by the other: an instance whose clock is wrong makes jobs that are due too late, or whose
// deadline has passed, for all.
//
//   ClockWatch watch(database, runtime);
//   runner.Start("upkeep", watch.NewLoop());
//   if (watch.AheadMs()) ...
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "a4c/clock.h"
#include "a4c/collection.h"

namespace a4cd {

struct ClockWatchOptions {
  int64_t period_ms = 10'000;
  int64_t round_trip_max_ms = 1'000;  // an answer that took longer tells too little
  int64_t apart_max_ms = 5'000;       // further apart is a warning, once until it is half of that
};

// [any thread]
class ClockWatch {
 public:
  // Both outlive it.
  ClockWatch(a4c::Database& database, const a4c::Runtime& runtime,
             const ClockWatchOptions& options = {});

  // Asks the store, and tells a4c_clock_ahead_seconds. Gone before the watch.
  std::unique_ptr<a4c::Loop> NewLoop();
  // As was heard last, wrong by half a round trip at most; nothing: it was not heard yet.
  std::optional<int64_t> AheadMs() const;

 private:
  class WatchLoop;
  a4c::Result<void> Look(const a4c::Call& call);
  void Tell(int64_t ahead_ms);

  a4c::Database& database_;
  const a4c::Runtime runtime_;
  const ClockWatchOptions options_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::optional<int64_t> ahead_ms_;  // under waiter_, as is the next
  bool is_apart_ = false;
};

}  // namespace a4cd
