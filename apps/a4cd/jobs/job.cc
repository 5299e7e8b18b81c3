#include "apps/a4cd/jobs/job.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "apps/a4cd/jobs/texts.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr std::array<std::string_view, 5> kStates = {"pending", "running", "succeeded", "failed",
                                                     "canceled"};

void SetText(Json& body, std::string_view name, const std::string& text) {
  if (!text.empty()) body.AppendMember(std::string(name), text);
}

void SetTime(Json& body, std::string_view name, int64_t time_ms) {
  if (time_ms != 0) body.AppendMember(std::string(name), time_ms);
}

void SetTimeText(Json& body, std::string_view name, int64_t time_ms) {
  if (time_ms != 0) body.AppendMember(std::string(name), TimeText(time_ms));
}

void SetAny(Json& body, std::string_view name, const Json& value) {
  if (!value.IsNull()) body.AppendMember(std::string(name), value);
}

// A build context can be large and is of no use to a reader.
Json ShownPayload(const Job& job) {
  Json shown = job.payload;
  const size_t context_bytes = shown["context"].Text().size();
  if (context_bytes > 256) {
    shown.Set("context", "(" + std::to_string(context_bytes) + " bytes of base64)");
  }
  return shown;
}

// At least that many digits, and what comes after them.
void AppendDigits(std::string& text, int number, size_t digits, char after) {
  const std::string plain = std::to_string(number);
  if (plain.size() < digits) text.append(digits - plain.size(), '0');
  text += plain;
  text += after;
}

Error WrongState(const Job& job, std::string_view step) {
  return Error(Code::kConflict, "the job is " + std::string(JobStateName(job.state)) +
                                    ": it cannot be " + std::string(step));
}

Job Finish(Job job, int64_t now_ms, JobState state, std::string_view reason, std::string message) {
  job.state = state;
  job.reason = reason;
  job.message = std::move(message);
  job.finished_at = now_ms;
  job.updated_at = now_ms;
  job.due_at = 0;
  job.progress = nullptr;
  return job;
}

}  // namespace

std::string_view JobStateName(JobState state) {
  return kStates[static_cast<size_t>(state)];
}

bool AwaitsContext(const Job& job) {
  return job.type == "image.build" && job.payload.Find("context") == nullptr;
}

// One whose context does not come is only ended.
bool MayTakeLong(const Job& job) {
  static constexpr std::array<std::string_view, 6> kLong = {
      "command.run",        "image.build",       "workspace.move",
      "workspace.snapshot", "workspace.restore", "host.cleanup"};
  return std::ranges::find(kLong, job.type) != kLong.end() && !AwaitsContext(job);
}

int64_t QueueOf(const Job& job) {
  return kPriorityMax - job.priority + (MayTakeLong(job) ? kFirstLongQueue : 0);
}

bool HasSaidWhatItWants(const Job& job) {
  const bool has_begun = job.attempts > 0 || job.state != JobState::kPending;
  return !has_begun && !job.workspace.empty() && job.scheduled_at == job.created_at;
}

// By hand: strftime and snprintf took a fiftieth of the time of a get.
std::string TimeText(int64_t time_ms) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text;
  text.reserve(24);
  AppendDigits(text, int{date.year()}, 4, '-');
  AppendDigits(text, static_cast<int>(unsigned{date.month()}), 2, '-');
  AppendDigits(text, static_cast<int>(unsigned{date.day()}), 2, 'T');
  AppendDigits(text, static_cast<int>(clock.hours().count()), 2, ':');
  AppendDigits(text, static_cast<int>(clock.minutes().count()), 2, ':');
  AppendDigits(text, static_cast<int>(clock.seconds().count()), 2, '.');
  AppendDigits(text, static_cast<int>(clock.subseconds().count()), 3, 'Z');
  return text;
}

std::string JobBody(const Job& job) {
  Json body(Json::Object{});
  body.AppendMember("type", job.type);
  SetText(body, "title", job.title);
  body.AppendMember("state", JobStateName(job.state));
  SetText(body, "reason", job.reason);
  SetText(body, "message", job.message);
  body.AppendMember("payload", job.payload);
  body.AppendMember("labels", MapJson(job.labels));
  body.AppendMember("priority", job.priority);
  SetTime(body, "created_at", job.created_at);
  SetTime(body, "updated_at", job.updated_at);
  SetTime(body, "started_at", job.started_at);
  SetTime(body, "finished_at", job.finished_at);
  SetTime(body, "scheduled_at", job.scheduled_at);
  SetTime(body, "deadline_at", job.deadline_at);
  body.AppendMember("attempts", job.attempts);
  body.AppendMember("attempts_max", job.attempts_max);
  SetText(body, "subject", job.subject);
  SetText(body, "workspace", job.workspace);
  SetText(body, "host", job.host);
  SetText(body, "created_by", job.created_by);
  SetAny(body, "progress", job.progress);
  SetAny(body, "result", job.result);
  SetAny(body, "placement", job.placement);
  if (!job.finished()) {
    body.AppendMember("due_at", job.due_at);
    body.AppendMember("queue_priority", QueueOf(job));
    SetText(body, "subject_key", job.subject);
  }
  return body.ToString();
}

Result<Job> JobOf(const std::string& id, int64_t rev, const std::string& text) {
  Result<Json> parsed = a4c::ParseJson(text);
  if (!parsed) return Error(Code::kInternal, "job " + id + ": " + parsed.error().message());
  const Json& body = *parsed;
  const auto state = std::ranges::find(kStates, body["state"].Text());
  if (state == kStates.end()) return Error(Code::kInternal, "job " + id + " has no known state");
  Job job;
  job.id = id;
  job.rev = rev;
  job.type = body["type"].Text();
  job.title = body["title"].Text();
  job.state = static_cast<JobState>(state - kStates.begin());
  job.reason = body["reason"].Text();
  job.message = body["message"].Text();
  job.payload = body["payload"];
  for (const auto& [name, value] : body["labels"].Members()) job.labels[name] = value.Text();
  job.priority = body["priority"].Int();
  job.created_at = body["created_at"].Int();
  job.updated_at = body["updated_at"].Int();
  job.started_at = body["started_at"].Int();
  job.finished_at = body["finished_at"].Int();
  job.due_at = body["due_at"].Int();
  job.scheduled_at = body["scheduled_at"].Int();
  job.deadline_at = body["deadline_at"].Int();
  job.attempts = body["attempts"].Int();
  job.attempts_max = body["attempts_max"].Int();
  job.subject = body["subject"].Text();
  job.workspace = body["workspace"].Text();
  job.host = body["host"].Text();
  job.created_by = body["created_by"].Text();
  job.progress = body["progress"];
  job.result = body["result"];
  job.placement = body["placement"];
  return job;
}

Result<Job> JobOf(const a4c::Record& record) {
  return JobOf(record.ref.key.id, record.rev, record.body);
}

Json JobView(const Job& job) {
  Json view(Json::Object{});
  view.AppendMember("id", job.id);
  view.AppendMember("type", job.type);
  view.AppendMember("title", job.title);
  view.AppendMember("state", JobStateName(job.state));
  SetText(view, "reason", job.reason);
  SetText(view, "message", job.message);
  view.AppendMember("payload", ShownPayload(job));
  view.AppendMember("labels", MapJson(job.labels));
  view.AppendMember("priority", job.priority);
  SetTimeText(view, "created_at", job.created_at);
  SetTimeText(view, "updated_at", job.updated_at);
  SetTimeText(view, "started_at", job.started_at);
  SetTimeText(view, "finished_at", job.finished_at);
  SetTimeText(view, "due_at", job.due_at);
  SetTimeText(view, "scheduled_at", job.scheduled_at);
  SetTimeText(view, "deadline_at", job.deadline_at);
  view.AppendMember("attempts", job.attempts);
  view.AppendMember("attempts_max", job.attempts_max);
  SetText(view, "workspace", job.workspace);
  SetText(view, "host", job.host);
  SetText(view, "created_by", job.created_by);
  SetAny(view, "progress", job.progress);
  SetAny(view, "result", job.result);
  view.AppendMember("rev", job.rev);
  return view;
}

Result<Job> Started(Job job, int64_t now_ms, int64_t look_again_at_ms) {
  if (job.finished()) return WrongState(job, "started");
  job.state = JobState::kRunning;
  job.reason = reason::kRunning;
  job.message.clear();
  job.attempts += 1;
  job.started_at = now_ms;
  job.updated_at = now_ms;
  job.due_at = look_again_at_ms;
  return job;
}

Result<Job> Succeeded(Job job, int64_t now_ms, Json result) {
  if (job.finished()) return WrongState(job, "finished");
  job.result = std::move(result);
  return Finish(std::move(job), now_ms, JobState::kSucceeded, reason::kDone, "");
}

Result<Job> Failed(Job job, int64_t now_ms, std::string_view why, std::string message) {
  if (job.finished()) return WrongState(job, "finished");
  return Finish(std::move(job), now_ms, JobState::kFailed, why, std::move(message));
}

Result<Job> TriedAgainLater(Job job, int64_t now_ms, int64_t due_at_ms, std::string_view why,
                            std::string message) {
  if (job.finished()) return WrongState(job, "tried again");
  if (job.deadline_at != 0 && due_at_ms > job.deadline_at) {
    return Failed(std::move(job), now_ms, reason::kDeadline,
                  "the deadline would pass before another attempt; last: " + message);
  }
  if (job.attempts >= job.attempts_max) {
    return Failed(std::move(job), now_ms, reason::kError, std::move(message));
  }
  job.state = JobState::kPending;
  job.reason = why;
  job.message = std::move(message);
  job.progress = nullptr;
  job.due_at = due_at_ms;
  job.updated_at = now_ms;
  return job;
}

Result<Job> Canceled(Job job, int64_t now_ms, std::string_view why, std::string message) {
  if (job.finished()) return WrongState(job, "canceled");
  return Finish(std::move(job), now_ms, JobState::kCanceled, why, std::move(message));
}

Result<Job> Retried(Job job, int64_t now_ms) {
  if (job.state != JobState::kFailed && job.state != JobState::kCanceled) {
    return WrongState(job, "retried");
  }
  job.state = JobState::kPending;
  job.reason = reason::kWaiting;
  job.message.clear();
  job.attempts = 0;
  job.started_at = 0;
  job.finished_at = 0;
  job.due_at = now_ms;
  job.scheduled_at = now_ms;
  job.deadline_at = 0;
  job.updated_at = now_ms;
  job.progress = nullptr;
  job.result = nullptr;
  return job;
}

}  // namespace a4cd
