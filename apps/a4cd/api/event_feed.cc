#include "apps/a4cd/api/event_feed.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "apps/a4cd/hosts/host_record.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {

using a4c::Call;
using a4c::Record;
using a4c::Result;

namespace {

constexpr int kHintsMax = 1'000;  // of one poll
// Of what a client missed: then other streams have their turn.
constexpr int kPagesAtOnce = 20;
// Steps of several streams within this time are one.
constexpr int64_t kStepAtLeastMs = 15;

constexpr const char* kResyncText = "event: resync\ndata: {}\n\n";

// Opaque to clients; the letter lets another form come later.
std::string PositionText(int64_t changed_at_ms) {
  return "t" + std::to_string(changed_at_ms);
}

std::optional<int64_t> PositionOf(std::string_view text) {
  int64_t position = 0;
  if (!text.starts_with('t')) return std::nullopt;
  const auto [at, error] = std::from_chars(text.data() + 1, text.data() + text.size(), position);
  if (error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return position;
}

// Follows the hints on the bus. None of them has to be acknowledged to be right: what is lost is
// found by the scan, and what comes twice is dropped.
class EventTail final : public a4c::Loop {
 public:
  EventTail(EventFeed& feed, a4c::Bus& bus, std::string topic, std::string group)
      : feed_(feed), bus_(bus), topic_(std::move(topic)), group_(std::move(group)) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    if (subscription_ == nullptr) {
      A4C_TRY(subscription_, bus_.Subscribe(call, topic_, group_, a4c::StartAt::kLatest));
    }
    const Result<void> followed = Follow(call);
    if (followed) return int64_t{0};
    subscription_.reset();
    return followed.error();
  }

 private:
  Result<void> Follow(const Call& call) {
    A4C_TRY(const std::vector<a4c::Delivery> deliveries, subscription_->Poll(call, kHintsMax));
    std::vector<a4c::RecordRef> refs;
    for (const a4c::Delivery& delivery : deliveries) {
      const auto hint =
          a4c::ParseJson(delivery.message.payload, {.bytes_max = 4096, .depth_max = 8});
      if (!hint || (*hint)["kind"].Text() != "job") continue;
      a4c::RecordRef ref = JobRef((*hint)["scope"].Text(), (*hint)["id"].Text());
      if (a4c::CheckKey(ref.key)) refs.push_back(std::move(ref));
    }
    if (!refs.empty()) A4C_CHECK(feed_.TakeNamed(call, refs));
    if (!deliveries.empty()) A4C_CHECK(subscription_->Ack(call, deliveries));
    return {};
  }

  const std::string name_ = "events";
  EventFeed& feed_;
  a4c::Bus& bus_;
  const std::string topic_;
  const std::string group_;
  std::unique_ptr<a4c::Subscription> subscription_;
};

}  // namespace

class EventSource final : public StreamSource {
 public:
  EventSource(EventFeed& feed, const a4c::Clock& clock, EventFeed::Audience audience,
              const std::string& last_event_id)
      : feed_(feed),
        clock_(clock),
        audience_(std::move(audience)),
        missed_{.of = audience_.with_hosts ? EventFeed::Of::kHost : EventFeed::Of::kJob} {
    pending_ = "retry: 2000\n\n";
    resumed_ = feed_.Resume(last_event_id, next_, missed_.was_ms);
    if (resumed_ == EventFeed::Resumed::kResync) pending_ += kResyncText;
    sent_at_ms_ = clock_.MonotonicMs();
  }
  ~EventSource() override { feed_.Leave(); }

  Result<Piece> Next(const Call& call) override {
    const Result<void> stepped = feed_.Step(call);
    Piece piece{std::exchange(pending_, "")};
    if (resumed_ == EventFeed::Resumed::kCatchUp) CatchUp(call, piece.bytes);
    if (resumed_ != EventFeed::Resumed::kCatchUp) feed_.Read(audience_, next_, piece.bytes);
    if (!stepped && piece.bytes.empty()) piece.bytes = kSignOfLife;
    if (piece.bytes.empty() && clock_.MonotonicMs() - sent_at_ms_ >= kSignOfLifeMs) {
      piece.bytes = kSignOfLife;
    }
    if (!piece.bytes.empty()) sent_at_ms_ = clock_.MonotonicMs();
    return piece;
  }

 private:
  // A store that does not answer: the client lists again, and is told so too.
  void CatchUp(const Call& call, std::string& bytes) {
    const auto caught_up = feed_.CatchUp(call, audience_, missed_, bytes);
    resumed_ = caught_up ? *caught_up : EventFeed::Resumed::kResync;
    if (resumed_ == EventFeed::Resumed::kResync) bytes += kResyncText;
  }

  EventFeed& feed_;
  const a4c::Clock& clock_;
  const EventFeed::Audience audience_;
  std::string pending_;
  EventFeed::Resumed resumed_ = EventFeed::Resumed::kHere;
  EventFeed::CatchingUp missed_;
  int64_t next_ = 0;
  int64_t sent_at_ms_ = 0;
};

EventFeed::EventFeed(a4c::Database& database, const a4c::Runtime& runtime,
                     const EventFeedOptions& options)
    : database_(database),
      runtime_(runtime),
      options_(options),
      complete_since_ms_(database.NowMs()),
      jobs_{Of::kJob, complete_since_ms_},
      hosts_{Of::kHost, complete_since_ms_} {}

a4c::ScanRequest EventFeed::ScanOf(Of of, int64_t lower_ms) {
  return {.kind = of == Of::kJob ? "job" : "host",
          .index = "by_changed",
          .lower = lower_ms,
          .tombstones = of == Of::kHost,
          .limit = kPage};
}

std::optional<EventFeed::Event> EventFeed::EventOf(Of of, const Record& record,
                                                   int64_t store_time_ms) {
  if (of == Of::kJob) {
    // What retention deletes ended long ago, and nothing has become of it since.
    if (record.tombstone) return std::nullopt;
    const Result<Job> job = JobOf(record);
    if (!job) return std::nullopt;
    return Event{.of = of,
                 .changed_at_ms = job->updated_at,
                 .id = job->id,
                 .rev = job->rev,
                 .tenant = record.ref.key.scope,
                 .data = JobView(*job).ToString()};
  }
  const Result<HostRecord> host = HostRecordOf(record, store_time_ms);
  if (!host) return std::nullopt;
  a4c::Json view = HostView(*host);
  if (record.tombstone) view.AppendMember("removed", true);
  return Event{.of = of,
               .changed_at_ms = host->updated_at,
               .id = host->id,
               .rev = host->rev,
               .tenant = {},
               .data = view.ToString()};
}

std::string EventFeed::TextOf(const Event& event, int64_t position_ms) {
  if (event.of == Of::kGap) return kResyncText;
  return "id: " + PositionText(position_ms) +
         "\nevent: " + (event.of == Of::kJob ? "job" : "host") + "\ndata: " + event.data + "\n\n";
}

Result<void> EventFeed::Step(const Call& call) {
  {
    std::lock_guard lock(mutex_);
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    if (stepping_ || now_ms < stepped_at_ms_ + std::max(kStepAtLeastMs, options_.scan_period_ms))
      return {};
    stepping_ = true;
    stepped_at_ms_ = now_ms;
  }
  const Result<void> jobs = Follow(call, jobs_);
  const Result<void> hosts = Follow(call, hosts_);
  std::lock_guard lock(mutex_);
  stepping_ = false;
  return jobs ? hosts : jobs;
}

Result<void> EventFeed::Follow(const Call& call, Followed& followed) {
  std::unique_lock lock(mutex_);
  a4c::ScanRequest scan = ScanOf(followed.of, followed.position_ms - options_.overlap_ms);
  int changes = 0;
  do {
    lock.unlock();
    const Result<a4c::ScanAnswer> answer = database_.Scan(call, scan);
    lock.lock();
    if (!answer) return answer.error();
    // Only what a scan has seen moves its position on: a hint says nothing of those before it.
    for (const Record& record : answer->records) {
      followed.position_ms =
          std::max(followed.position_ms, Take(followed, record, answer->store_time_ms));
    }
    changes += static_cast<int>(answer->records.size());
    scan.after = answer->next;
    if (changes >= options_.changes_max && !scan.after.empty()) {
      AddGap(database_.NowMs());
      break;
    }
  } while (!scan.after.empty());
  std::erase_if(followed.seen, [&](const auto& entry) {
    return entry.second.second < followed.position_ms - 2 * options_.overlap_ms;
  });
  return {};
}

int64_t EventFeed::Take(Followed& followed, const Record& record, int64_t store_time_ms) {
  std::optional<Event> event = EventOf(followed.of, record, store_time_ms);
  if (!event) return 0;
  const int64_t at_ms = event->changed_at_ms;
  auto& [rev, changed_at_ms] = followed.seen[event->id];
  if (rev >= event->rev) return at_ms;
  rev = event->rev;
  changed_at_ms = at_ms;
  Add(*std::move(event));
  return at_ms;
}

bool EventFeed::IsIdle() const {
  if (listeners_ > 0 || stepping_) return false;
  return stepped_at_ms_ == INT64_MIN ||
         runtime_.clock.MonotonicMs() - stepped_at_ms_ > options_.overlap_ms;
}

void EventFeed::Forget(int64_t now_ms) {
  events_.clear();
  bytes_ = 0;
  for (Followed* followed : {&jobs_, &hosts_}) {
    followed->seen.clear();
    followed->position_ms = now_ms;
  }
  complete_since_ms_ = now_ms;
}

void EventFeed::AddGap(int64_t now_ms) {
  Forget(now_ms);
  for (Followed* followed : {&jobs_, &hosts_}) followed->position_ms += options_.overlap_ms;
  Add({.of = Of::kGap, .changed_at_ms = now_ms, .id = {}, .tenant = {}, .data = {}});
}

void EventFeed::Add(Event event) {
  event.number = next_number_++;
  bytes_ += event.data.size();
  events_.push_back(std::move(event));
  while (events_.size() > options_.events_max ||
         (bytes_ > options_.bytes_max && events_.size() > 1)) {
    const Event& oldest = events_.front();
    complete_since_ms_ = std::max(complete_since_ms_, oldest.changed_at_ms);
    bytes_ -= oldest.data.size();
    events_.pop_front();
  }
}

// Without listeners nothing prunes what was seen, and the first who comes begins anew.
Result<void> EventFeed::TakeNamed(const Call& call, std::span<const a4c::RecordRef> refs) {
  {
    std::lock_guard lock(mutex_);
    if (IsIdle()) return {};
  }
  while (!refs.empty()) {
    const auto page = refs.first(std::min<size_t>(kPage, refs.size()));
    refs = refs.subspan(page.size());
    A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, page));
    std::lock_guard lock(mutex_);
    for (const std::optional<Record>& record : answer.records) {
      if (record) Take(jobs_, *record, answer.store_time_ms);
    }
  }
  return {};
}

std::unique_ptr<a4c::Loop> EventFeed::NewTail(a4c::Bus& bus, std::string topic, std::string group) {
  return std::make_unique<EventTail>(*this, bus, std::move(topic), std::move(group));
}

EventFeed::Resumed EventFeed::Resume(const std::string& last_event_id, int64_t& next,
                                     int64_t& was_ms) {
  std::lock_guard lock(mutex_);
  if (IsIdle()) Forget(database_.NowMs());
  ++listeners_;
  next = next_number_;
  if (last_event_id.empty()) return Resumed::kHere;
  const std::optional<int64_t> position = PositionOf(last_event_id);
  if (!position) return Resumed::kResync;
  was_ms = *position;
  if (was_ms < complete_since_ms_ + options_.overlap_ms) {
    const int64_t away_ms = database_.NowMs() - was_ms;
    return away_ms <= options_.catch_up_max_ms ? Resumed::kCatchUp : Resumed::kResync;
  }
  const auto first = std::ranges::find_if(events_, [&](const Event& event) {
    return event.changed_at_ms > was_ms - options_.overlap_ms;
  });
  if (first != events_.end()) next = first->number;
  return Resumed::kHere;
}

void EventFeed::Leave() {
  std::lock_guard lock(mutex_);
  --listeners_;
}

Result<EventFeed::Resumed> EventFeed::CatchUp(const Call& call, const Audience& audience,
                                              CatchingUp& place, std::string& bytes) {
  for (int page = 0; page < kPagesAtOnce && bytes.size() < options_.part_bytes_max; ++page) {
    A4C_CHECK(CatchUpPage(call, audience, place, bytes));
    if (!place.after.empty()) {
      if (place.changes >= options_.changes_max) return Resumed::kResync;
    } else if (place.of == Of::kJob) {
      return Resumed::kHere;
    } else {
      place = {.of = Of::kJob, .was_ms = place.was_ms};
    }
  }
  return Resumed::kCatchUp;
}

Result<void> EventFeed::CatchUpPage(const Call& call, const Audience& audience, CatchingUp& place,
                                    std::string& bytes) {
  a4c::ScanRequest scan = ScanOf(place.of, place.was_ms - options_.overlap_ms);
  scan.after = place.after;
  while (true) {
    scan.limit = place.limit;
    A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, scan));
    std::string told;
    int fitting = 0;
    for (const Record& record : page.records) {
      if (bytes.size() + told.size() >= options_.part_bytes_max) break;
      ++fitting;
      const std::optional<Event> event = EventOf(place.of, record, page.store_time_ms);
      if (!event || !audience.Gets(*event)) continue;
      // Jobs come after servers: who breaks off before them is where it was.
      told += TextOf(*event, place.of == Of::kHost ? place.was_ms : event->changed_at_ms);
    }
    const bool fits = fitting == std::ssize(page.records);
    place.limit = std::clamp(fits ? 2 * fitting : fitting, 1, kPage);
    // Where it goes on behind those that have room is the store's to say.
    if (!fits) continue;
    bytes += told;
    place.after = page.next;
    place.changes += fitting;
    return {};
  }
}

void EventFeed::Read(const Audience& audience, int64_t& next, std::string& bytes) {
  std::lock_guard lock(mutex_);
  const int64_t first = events_.empty() ? next_number_ : events_.front().number;
  if (next < first) {
    bytes += kResyncText;
    next = first;
  }
  for (; next < next_number_ && bytes.size() < options_.part_bytes_max; ++next) {
    const Event& event = events_[static_cast<size_t>(next - first)];
    if (event.of != Of::kGap && !audience.Gets(event)) continue;
    bytes += TextOf(event, event.changed_at_ms);
  }
}

std::unique_ptr<StreamSource> EventFeed::NewSource(const std::string& tenant,
                                                   const std::string& last_event_id,
                                                   bool with_hosts) {
  return std::make_unique<EventSource>(*this, runtime_.clock, Audience{tenant, with_hosts},
                                       last_event_id);
}

}  // namespace a4cd
