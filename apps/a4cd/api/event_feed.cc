#include "apps/a4cd/api/event_feed.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "apps/a4cd/jobs/job.h"

namespace a4cd {

using a4c::Call;
using a4c::Record;
using a4c::Result;

namespace {

constexpr int kPage = 1'000;
constexpr int64_t kKeepAliveMs = 15'000;
// Steps of several streams within this time are one.
constexpr int64_t kStepAtLeastMs = 15;

std::string EventText(std::string_view name, int64_t id, const std::string& data) {
  return "id: " + std::to_string(id) + "\nevent: " + std::string(name) + "\ndata: " + data + "\n\n";
}

}  // namespace

class EventSource final : public StreamSource {
 public:
  EventSource(EventFeed& feed, const a4c::Clock& clock, std::string tenant,
              const std::string& last_event_id)
      : feed_(feed), clock_(clock), tenant_(std::move(tenant)) {
    pending_ = "retry: 2000\n\n";
    if (!feed_.Resume(last_event_id, next_)) {
      pending_ += "event: resync\ndata: {}\n\n";
    }
    sent_at_ms_ = clock_.MonotonicMs();
  }

  Result<Piece> Next(const Call& call) override {
    const Result<void> stepped = feed_.Step(call);
    Piece piece{std::exchange(pending_, "")};
    feed_.Read(tenant_, next_, piece.bytes);
    if (!stepped && piece.bytes.empty()) piece.bytes = KeepAlive();
    if (piece.bytes.empty() && clock_.MonotonicMs() - sent_at_ms_ >= kKeepAliveMs) {
      piece.bytes = KeepAlive();
    }
    if (!piece.bytes.empty()) sent_at_ms_ = clock_.MonotonicMs();
    return piece;
  }

 private:
  static std::string KeepAlive() { return ":\n\n"; }

  EventFeed& feed_;
  const a4c::Clock& clock_;
  const std::string tenant_;
  std::string pending_;
  int64_t next_ = 0;
  int64_t sent_at_ms_ = 0;
};

EventFeed::EventFeed(a4c::Database& database, const a4c::Runtime& runtime,
                     const EventFeedOptions& options)
    : database_(database),
      runtime_(runtime),
      options_(options),
      position_ms_(runtime.clock.NowMs()),
      complete_since_ms_(position_ms_) {}

Result<void> EventFeed::Step(const Call& call) {
  int64_t lower_ms = 0;
  {
    std::lock_guard lock(mutex_);
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    if (stepping_ || now_ms < stepped_at_ms_ + kStepAtLeastMs) return {};
    stepping_ = true;
    stepped_at_ms_ = now_ms;
    lower_ms = position_ms_ - options_.overlap_ms;
  }
  int changes = 0;
  Result<void> result;
  a4c::ScanRequest scan{
      .kind = "job", .index = "by_changed", .lower = lower_ms, .tombstones = true, .limit = kPage};
  do {
    const Result<a4c::ScanAnswer> answer = database_.Scan(call, scan);
    std::lock_guard lock(mutex_);
    if (!answer) {
      result = answer.error();
      break;
    }
    for (const Record& record : answer->records) Take(record);
    changes += static_cast<int>(answer->records.size());
    scan.after = answer->next;
    if (changes >= options_.changes_max && !scan.after.empty()) {
      AddGap(runtime_.clock.NowMs());
      break;
    }
  } while (!scan.after.empty());
  std::lock_guard lock(mutex_);
  std::erase_if(seen_, [&](const auto& entry) {
    return entry.second.second < position_ms_ - 2 * options_.overlap_ms;
  });
  stepping_ = false;
  return result;
}

void EventFeed::Take(const Record& record) {
  const Result<Job> job = JobOf(record);
  if (!job) return;
  auto& [rev, changed_at_ms] = seen_[job->id];
  if (rev >= job->rev) return;
  rev = job->rev;
  changed_at_ms = job->updated_at;
  position_ms_ = std::max(position_ms_, job->updated_at);
  Add({.changed_at_ms = job->updated_at,
       .tenant = record.ref.key.scope,
       .data = JobView(*job).ToString()});
}

void EventFeed::AddGap(int64_t now_ms) {
  events_.clear();
  seen_.clear();
  position_ms_ = now_ms + options_.overlap_ms;
  complete_since_ms_ = now_ms;
  Add({.changed_at_ms = now_ms, .tenant = {}, .data = {}});
}

void EventFeed::Add(Event event) {
  event.number = next_number_++;
  events_.push_back(std::move(event));
  if (events_.size() <= options_.events_max) return;
  complete_since_ms_ = std::max(complete_since_ms_, events_.front().changed_at_ms);
  events_.pop_front();
}

bool EventFeed::Resume(const std::string& last_event_id, int64_t& next) {
  std::lock_guard lock(mutex_);
  next = next_number_;
  if (last_event_id.empty()) return true;
  int64_t was_ms = 0;
  const char* end = last_event_id.data() + last_event_id.size();
  const auto [at, error] = std::from_chars(last_event_id.data(), end, was_ms);
  if (error != std::errc() || at != end) return false;
  if (was_ms < complete_since_ms_ + options_.overlap_ms) return false;
  const auto first = std::ranges::find_if(events_, [&](const Event& event) {
    return event.changed_at_ms > was_ms - options_.overlap_ms;
  });
  if (first != events_.end()) next = first->number;
  return true;
}

void EventFeed::Read(const std::string& tenant, int64_t& next, std::string& bytes) {
  std::lock_guard lock(mutex_);
  if (!events_.empty() && next < events_.front().number) {
    bytes += "event: resync\ndata: {}\n\n";
    next = events_.front().number;
  }
  const int64_t first = events_.empty() ? next_number_ : events_.front().number;
  for (size_t i = static_cast<size_t>(std::max<int64_t>(0, next - first)); i < events_.size();
       ++i) {
    const Event& event = events_[i];
    if (event.tenant == tenant) bytes += EventText("job", event.changed_at_ms, event.data);
    if (event.data.empty()) bytes += "event: resync\ndata: {}\n\n";
  }
  next = next_number_;
}

std::unique_ptr<StreamSource> EventFeed::NewSource(const std::string& tenant,
                                                   const std::string& last_event_id) {
  return std::make_unique<EventSource>(*this, runtime_.clock, tenant, last_event_id);
}

}  // namespace a4cd
