#include "apps/a4cd/work/outcome.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

// Without which the workspace does not run. One that is moved with its volume goes on where it was.
bool IsStart(const Job& job) {
  return job.type == "workspace.create" || job.type == "workspace.start" ||
         (job.type == "workspace.move" && !job.payload["with_volume"].Bool());
}

std::optional<int64_t> NumberAfter(std::string_view text, std::string_view before) {
  const size_t found = text.find(before);
  if (found == std::string_view::npos) return std::nullopt;
  text.remove_prefix(found + before.size());
  int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() ? std::optional(number) : std::nullopt;
}

Outcome WaitOf(const JobRun& run, std::string_view why, std::string message, int64_t wait_ms) {
  return {.what = Outcome::What::kTryLater,
          .reason = std::string(why),
          .message = std::move(message),
          .result = {},
          .counts = false,
          .wait_ms = RetryWaitMs(1, wait_ms, wait_ms, run.context().runtime.random.Next())};
}

Result<Job> JobAfter(const Outcome& outcome, Job job, int64_t now_ms, int64_t retry_wait_ms) {
  switch (outcome.what) {
    case Outcome::What::kSucceeded:
      return Succeeded(std::move(job), now_ms, outcome.result);
    case Outcome::What::kFailed:
      job.result = outcome.result;
      return Failed(std::move(job), now_ms, outcome.reason, outcome.message);
    case Outcome::What::kCanceled:
      return Canceled(std::move(job), now_ms, outcome.reason, outcome.message);
    case Outcome::What::kTryLater:
    case Outcome::What::kGone:
      break;
  }
  if (!outcome.counts) job.attempts = std::max<int64_t>(0, job.attempts - 1);
  const int64_t due_ms = now_ms + (outcome.counts ? retry_wait_ms : outcome.wait_ms);
  return TriedAgainLater(std::move(job), now_ms, due_ms, outcome.reason, outcome.message);
}

}  // namespace

Outcome OutcomeOf(const Error& error) {
  Outcome outcome{.what = Outcome::What::kFailed,
                  .reason = std::string(reason::kError),
                  .message = error.message()};
  if (!error.hint().empty()) outcome.message += " (" + error.hint() + ")";
  // A conflict is an epoch or a state that may be over when the next claim has raised the epoch.
  const bool can_help = error.retryable() || error.unknown_outcome() ||
                        error.code() == Code::kConflict || error.code() == Code::kCanceled;
  if (!can_help) return outcome;
  outcome.what = Outcome::What::kTryLater;
  outcome.reason = reason::kRetrying;
  return outcome;
}

std::optional<int64_t> HighestEpochIn(const Error& error) {
  if (error.code() != Code::kConflict) return std::nullopt;
  const std::string& message = error.message();
  if (const auto highest = NumberAfter(message, "is below the highest, ")) return highest;
  if (message.find("is the highest, and another claim has it") == std::string::npos) {
    return std::nullopt;
  }
  return NumberAfter(message, ": epoch ");
}

Outcome WaitFor(const JobRun& run, std::string_view why, std::string message) {
  return WaitOf(run, why, std::move(message), run.context().options.capacity_wait_ms);
}

std::optional<Outcome> WaitForRemoval(const JobRun& run, const std::string& host,
                                      const Error& error) {
  const bool can_help = error.retryable() || error.unknown_outcome() ||
                        error.code() == Code::kDenied || error.code() == Code::kNotFound;
  if (!can_help || run.Stopping()) return std::nullopt;
  std::string message =
      "the server " + host +
      " has not confirmed the removal, and its room stays reserved until it has: " +
      error.message();
  if (!error.hint().empty()) message += " (" + error.hint() + ")";
  message += "; if it is gone for good: a4c host remove " + host + " --lost";
  return WaitFor(run, reason::kHostUnreachable, std::move(message));
}

Outcome WaitForRoom(const JobRun& run, const Placement& placement, std::string message) {
  const WorkOptions& options = run.context().options;
  int64_t wait_ms = options.capacity_wait_ms;
  if (!placement.CanEverFit()) {
    const int64_t deadline_ms = run.job().deadline_at;
    wait_ms = RoomWaitMs(run.room_waited_ms(), wait_ms, options.capacity_wait_max_ms,
                         deadline_ms == 0 ? INT64_MAX : deadline_ms - run.NowMs());
  }
  return WaitOf(run, reason::kNoCapacity, std::move(message), wait_ms);
}

int64_t RoomWaitMs(int64_t waited_ms, int64_t wait_ms, int64_t max_ms, int64_t left_ms) {
  const int64_t doubled_ms = std::min(waited_ms, max_ms / 2) * 2;
  return std::max(wait_ms, std::min({doubled_ms, max_ms, left_ms - wait_ms}));
}

int64_t RetryWaitMs(int64_t attempt, int64_t wait_ms, int64_t max_ms, uint64_t random) {
  const int64_t doublings = std::clamp<int64_t>(attempt - 1, 0, 30);
  int64_t whole_ms = max_ms;
  if (wait_ms <= (max_ms >> doublings)) whole_ms = wait_ms << doublings;
  return whole_ms - static_cast<int64_t>(random % static_cast<uint64_t>(whole_ms / 2 + 1));
}

Result<void> EndAttempt(const Outcome& outcome, int64_t now_ms, int64_t retry_wait_ms,
                        Draft& draft) {
  A4C_TRY(draft.job, JobAfter(outcome, std::move(draft.job), now_ms, retry_wait_ms));
  if (draft.workspace && IsStart(draft.job) && outcome.what != Outcome::What::kSucceeded) {
    const bool is_lost = !draft.workspace->lost_with.empty();
    if (draft.job.state == JobState::kFailed && !is_lost) draft.workspace->actual = "failed";
    draft.workspace->message = draft.job.message;
    draft.workspace->updated_at = now_ms;
  }
  if (outcome.also) return outcome.also(draft);
  return {};
}

}  // namespace a4cd
