// The latest states of jobs, and of servers, as they change: what /v1/events streams.
//
// One feed per instance. With a bus it tails the topic of the jobs' changes, in a group of its own,
// and reads the jobs that the hints name. A hint may be lost, and without a bus there are none, so
// the feed also scans the jobs by the time of their last change, from where it was minus an overlap
// that covers commits that were late and clocks that differ. What it has seen it drops. Servers'
// changes are few and have no hints: the scan alone finds them.
//
// It scans while somebody listens. Who comes when nobody has for a while finds it as if it had just
// been started: what changed meanwhile is no news to one who has only come.
//
// A position (the event's id) says how far a client is in that time, so that any instance
// understands it, also one that was started later: what the feed does not hold is read from the
// store, up to a bound. Past the bound the answer is `event: resync`, and the client lists again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "a4c/collection.h"
#include "apps/a4cd/api/http.h"

namespace a4cd {

struct EventFeedOptions {
  int64_t overlap_ms = 5'000;
  size_t events_max = 10'000;       // kept for streams that come back
  size_t bytes_max = 64 << 20;      // of them; the last one is kept, however large
  size_t part_bytes_max = 1 << 20;  // for a stream at once, with one event more
  int changes_max = 5'000;     // in one step, or for one client that comes back; past it: resync
  int64_t scan_period_ms = 0;  // between scans; with a bus they only find what hints missed
  int64_t catch_up_max_ms = 600'000;  // how long a client may have been away
};

// [any thread]
class EventFeed {
 public:
  EventFeed(a4c::Database& database, const a4c::Runtime& runtime,
            const EventFeedOptions& options = {});

  // Looks for changes, once. The streams call it; only one of them at a time does the work.
  a4c::Result<void> Step(const a4c::Call& call);

  // Takes these jobs as they are now: what a hint named. Does nothing while nobody listens.
  a4c::Result<void> TakeNamed(const a4c::Call& call, std::span<const a4c::RecordRef> refs);

  // Tails the topic, as a member of `group`. To be run by a thread of its own; gone before the
  // feed and the bus.
  std::unique_ptr<a4c::Loop> NewTail(a4c::Bus& bus, std::string topic, std::string group);

  // A stream of one tenant's events, and of the servers' if that is wanted; last_event_id: where
  // the client was, or "".
  std::unique_ptr<StreamSource> NewSource(const std::string& tenant,
                                          const std::string& last_event_id,
                                          bool with_hosts = false);

 private:
  friend class EventSource;
  enum class Of : uint8_t { kGap, kJob, kHost };  // a gap is for everybody
  struct Event {
    Of of = Of::kGap;
    int64_t number = 0;
    int64_t changed_at_ms = 0;
    std::string id;
    int64_t rev = 0;
    std::string tenant;  // of a job
    std::string data;
  };
  struct Audience {
    std::string tenant;
    bool with_hosts = false;
    bool Gets(const Event& event) const {
      return event.of == Of::kHost ? with_hosts : event.tenant == tenant;
    }
  };
  // Records of one look at the store: each may be as large as a body.
  static constexpr int kPage = 50;
  // How far a client that comes back has been told what it missed.
  struct CatchingUp {
    Of of = Of::kJob;
    int64_t was_ms = 0;
    std::string after = {};
    int limit = kPage;  // of the next page: not much more than had room in the one before
    int changes = 0;
  };
  // Changes of one kind: how far they were followed, and what was seen.
  struct Followed {
    Of of;
    int64_t position_ms;
    std::map<std::string, std::pair<int64_t, int64_t>> seen = {};  // id: rev, changed_at_ms
  };

  static a4c::ScanRequest ScanOf(Of of, int64_t lower_ms);
  // Nothing if it is no such record, or a job that was deleted.
  static std::optional<Event> EventOf(Of of, const a4c::Record& record, int64_t store_time_ms);
  // position_ms: of who has got it.
  static std::string TextOf(const Event& event, int64_t position_ms);
  a4c::Result<void> Follow(const a4c::Call& call, Followed& followed);
  // When it was changed; [mutex_ held].
  int64_t Take(Followed& followed, const a4c::Record& record, int64_t store_time_ms);
  // [mutex_ held, both]
  bool IsIdle() const;
  void Forget(int64_t now_ms);
  void AddGap(int64_t now_ms);
  void Add(Event event);
  enum class Resumed : uint8_t {
    kHere,     // everything since is in events_
    kCatchUp,  // the store has to be asked for what was before `next`
    kResync,
  };
  // next: number of the first event to send from memory to a client that was at this position.
  // The client listens from now until Leave().
  Resumed Resume(const std::string& last_event_id, int64_t& next, int64_t& was_ms);
  void Leave();
  // Appends a part of what a client missed. kHere: the last one; kResync: it missed too much.
  a4c::Result<Resumed> CatchUp(const a4c::Call& call, const Audience& audience, CatchingUp& place,
                               std::string& bytes);
  a4c::Result<void> CatchUpPage(const a4c::Call& call, const Audience& audience, CatchingUp& place,
                                std::string& bytes);
  // Appends a part of what a stream at `next` has not been sent, and moves it on.
  void Read(const Audience& audience, int64_t& next, std::string& bytes);

  a4c::Database& database_;
  const a4c::Runtime runtime_;
  const EventFeedOptions options_;
  std::mutex mutex_;
  std::deque<Event> events_;  // guarded by mutex_, as are the next
  size_t bytes_ = 0;          // of their data
  int64_t next_number_ = 1;
  int64_t complete_since_ms_;  // every change after it is in events_
  Followed jobs_;
  Followed hosts_;
  int listeners_ = 0;
  bool stepping_ = false;
  int64_t stepped_at_ms_ = INT64_MIN;
};

}  // namespace a4cd
