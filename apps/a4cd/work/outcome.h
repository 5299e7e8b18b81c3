// What came of an attempt at a job.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "a4c/json.h"
#include "a4c/result.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/placement/placement.h"
#include "apps/a4cd/work/job_run.h"

namespace a4cd {

struct Outcome {
  enum class What : uint8_t {
    kSucceeded,
    kFailed,    // for good
    kTryLater,  // while attempts are left
    kCanceled,
    kGone,  // somebody else has finished the job or taken it over
  };
  What what = What::kSucceeded;
  std::string reason = {};
  std::string message = {};
  a4c::Json result = {};
  bool counts = true;   // kTryLater: uses up an attempt
  int64_t wait_ms = 0;  // kTryLater, if it does not count; else by the number of attempts
  // What else is in the commit that ends the attempt. May be asked more than once.
  std::function<a4c::Result<void>(Draft&)> also = {};

  static Outcome Succeeded(a4c::Json result) {
    return {.what = What::kSucceeded, .reason = {}, .message = {}, .result = std::move(result)};
  }
  static Outcome Failed(std::string_view reason, std::string message) {
    return {.what = What::kFailed, .reason = std::string(reason), .message = std::move(message)};
  }
  static Outcome Gone() { return {.what = What::kGone}; }
};

// What an error means for the job: later again if that can help (also if the outcome is unknown:
// what hosts do is idempotent), else failed with the message and the hint of whoever refused.
Outcome OutcomeOf(const a4c::Error& error);

// The highest epoch that a server has seen, if the error is that server's refusal of a lower one,
// or of the same with another claim: a4c::Admit names it in its message. Nothing: it is another
// error.
std::optional<int64_t> HighestEpochIn(const a4c::Error& error);

// Later again, without using up an attempt: there is something that the job has to wait for.
Outcome WaitFor(const JobRun& run, std::string_view why, std::string message);

// The same for a server that has not confirmed a removal: its room stays reserved until it has,
// also while it refuses us, which somebody has to set right there, or is not among the servers of
// this instance. Nothing: waiting does not help, or the worker is stopping.
std::optional<Outcome> WaitForRemoval(const JobRun& run, const std::string& host,
                                      const a4c::Error& error);

// The same for room. If no server could ever have it, only a change of the servers helps: each wait
// is twice the one before, up to work.capacity_wait_max.
Outcome WaitForRoom(const JobRun& run, const Placement& placement, std::string message);

// waited_ms: the wait before this one, or 0. left_ms: until the deadline, which has its last
// attempt before it.
int64_t RoomWaitMs(int64_t waited_ms, int64_t wait_ms, int64_t max_ms, int64_t left_ms);

// Doubles from wait_ms to max_ms; of it half to all, drawn from random.
int64_t RetryWaitMs(int64_t attempt, int64_t wait_ms, int64_t max_ms, uint64_t random);

// The step that ends an attempt: what it makes of the job as it is now.
a4c::Result<void> EndAttempt(const Outcome& outcome, int64_t now_ms, int64_t retry_wait_ms,
                             Draft& draft);

}  // namespace a4cd
