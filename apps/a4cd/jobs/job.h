// Job: a piece of work and the rules of its life. Plain data, no I/O.
//
//        ┌────────── retry ──────────┐
//   pending ──► running ──► succeeded│
//      ▲  │        │  └───► failed ──┤
//      │  └─ cancel┴──────► canceled ┘
//      └── another attempt
//
// While a job is unfinished it names its subject ("workspace:<id>", "host:<id>", "image:<tag>"), on
// which work is done one job at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "a4c/json.h"
#include "a4c/record.h"
#include "a4c/result.h"

namespace a4cd {

enum class JobState : uint8_t { kPending, kRunning, kSucceeded, kFailed, kCanceled };
std::string_view JobStateName(JobState state);

inline constexpr int kPriorityMax = 9;  // the most urgent

struct Job {
  std::string id;
  int64_t rev = 0;  // 0: not stored yet
  std::string type;
  std::string title;
  JobState state = JobState::kPending;
  // Why it is in this state: a word for programs (constants below) and a sentence for people.
  std::string reason;
  std::string message;
  a4c::Json payload = a4c::Json::Object{};
  std::map<std::string, std::string> labels;
  int64_t priority = 5;
  int64_t created_at = 0;
  int64_t updated_at = 0;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int64_t due_at = 0;  // not before
  // When it was first to be done: created_at and its delay. Its turn among the jobs of its subject.
  int64_t scheduled_at = 0;
  int64_t deadline_at = 0;  // given up after; 0: none
  int64_t attempts = 0;
  int64_t attempts_max = 3;
  std::string subject;
  std::string workspace;   // id, if it is about one
  std::string host;        // id, once known
  std::string created_by;  // id of the API key
  a4c::Json progress;      // {"percent", "text"}
  a4c::Json result;
  a4c::Json placement;  // why this server: recorded at the moment of the decision

  bool finished() const { return state >= JobState::kSucceeded; }
};

namespace reason {
inline constexpr std::string_view kWaiting = "waiting";
inline constexpr std::string_view kRetrying = "retrying";
inline constexpr std::string_view kNoCapacity = "no_capacity";
inline constexpr std::string_view kRunning = "running";
inline constexpr std::string_view kDone = "done";
inline constexpr std::string_view kError = "error";
inline constexpr std::string_view kExitCode = "exit_code";
inline constexpr std::string_view kServerBusy = "server_busy";
inline constexpr std::string_view kHostUnreachable = "host_unreachable";
inline constexpr std::string_view kServerLost = "server_lost";
inline constexpr std::string_view kDeadline = "deadline_passed";
inline constexpr std::string_view kCanceledByUser = "canceled_by_user";
inline constexpr std::string_view kSubjectGone = "subject_gone";
inline constexpr std::string_view kContextLost = "context_lost";
}  // namespace reason

// An image.build whose client streams the context: the instance that receives it does the job.
bool AwaitsContext(const Job& job);

// As long as what a user runs, or as there is to copy: such jobs may have some of an instance's
// workers, never all of several.
bool MayTakeLong(const Job& job);

// Where it stands while it is unfinished: 9 - priority, and those that may take long ten further.
inline constexpr int64_t kFirstLongQueue = kPriorityMax + 1;
inline constexpr int64_t kQueues = 2 * kFirstLongQueue;
int64_t QueueOf(const Job& job);
constexpr bool IsOfLongJobs(int64_t queue) {
  return queue >= kFirstLongQueue;
}

// A job that has not begun, but stands in its workspace's record (Intend) since it was made.
bool HasSaidWhatItWants(const Job& job);

// The body of the record, and back. kInternal: the body is none of ours.
std::string JobBody(const Job& job);
a4c::Result<Job> JobOf(const a4c::Record& record);
// From a hit of a search, which has a body and a rev but no quiet fields.
a4c::Result<Job> JobOf(const std::string& id, int64_t rev, const std::string& body);

// As the API shows it: times as RFC 3339, no fields of the queue.
a4c::Json JobView(const Job& job);

// Each answers the job as it is after the step, or kConflict if its state does not allow it.
a4c::Result<Job> Started(Job job, int64_t now_ms, int64_t look_again_at_ms);
a4c::Result<Job> Succeeded(Job job, int64_t now_ms, a4c::Json result);
a4c::Result<Job> Failed(Job job, int64_t now_ms, std::string_view reason, std::string message);
// Back to pending, due later; or failed, if attempts or deadline are used up.
a4c::Result<Job> TriedAgainLater(Job job, int64_t now_ms, int64_t due_at_ms,
                                 std::string_view reason, std::string message);
a4c::Result<Job> Canceled(Job job, int64_t now_ms, std::string_view reason, std::string message);
// A failed or canceled job, from the start.
a4c::Result<Job> Retried(Job job, int64_t now_ms);

// "2026-11-22T19:03:21.123Z"
std::string TimeText(int64_t time_ms);

}  // namespace a4cd
