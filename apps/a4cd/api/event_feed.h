// The latest states of jobs, as they change: what /v1/events streams.
//
// One feed per instance scans the jobs by the time of their last change, from where it was minus an
// overlap that covers commits that were late and clocks that differ, and drops what it has seen. A
// position (the event's id) is a time, so any instance understands it; what the feed no longer
// holds is answered by `event: resync`, after which a client lists again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "a4c/collection.h"
#include "apps/a4cd/api/http.h"

namespace a4cd {

struct EventFeedOptions {
  int64_t overlap_ms = 5'000;
  size_t events_max = 10'000;  // kept for streams that come back
  int changes_max = 5'000;     // in one step; past it everybody resyncs
};

// [any thread]
class EventFeed {
 public:
  EventFeed(a4c::Database& database, const a4c::Runtime& runtime,
            const EventFeedOptions& options = {});

  // Looks for changes, once. The streams call it; only one of them at a time does the work.
  a4c::Result<void> Step(const a4c::Call& call);

  // A stream of one tenant's events; last_event_id: where the client was, or "".
  std::unique_ptr<StreamSource> NewSource(const std::string& tenant,
                                          const std::string& last_event_id);

 private:
  friend class EventSource;
  struct Event {
    int64_t number = 0;
    int64_t changed_at_ms = 0;
    std::string tenant;  // empty: a gap, for everybody
    std::string data;
  };
  void Take(const a4c::Record& record);
  void AddGap(int64_t now_ms);
  void Add(Event event);
  // Number of the first event to send to a client that was at this position; false: resync.
  bool Resume(const std::string& last_event_id, int64_t& next);
  // Appends what a stream at `next` has not been sent, and moves it on.
  void Read(const std::string& tenant, int64_t& next, std::string& bytes);

  a4c::Database& database_;
  const a4c::Runtime runtime_;
  const EventFeedOptions options_;
  std::mutex mutex_;
  std::deque<Event> events_;  // guarded by mutex_, as are the next
  int64_t next_number_ = 1;
  int64_t position_ms_;
  int64_t complete_since_ms_;                                // every change after it is in events_
  std::map<std::string, std::pair<int64_t, int64_t>> seen_;  // id: rev, changed_at_ms
  bool stepping_ = false;
  int64_t stepped_at_ms_ = INT64_MIN;
};

}  // namespace a4cd
