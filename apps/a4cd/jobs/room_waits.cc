#include "apps/a4cd/jobs/room_waits.h"

#include <algorithm>
#include <span>
#include <vector>

#include "apps/a4cd/jobs/job.h"

namespace a4cd {

using a4c::Call;
using a4c::Change;
using a4c::Record;
using a4c::Result;

namespace {

constexpr int kLookedAtMax = 500;      // of each priority
constexpr size_t kCommitChanges = 50;  // a request of a person waits for them

Result<std::vector<Change>> ChangesOf(const std::vector<Record>& records, int64_t now_ms) {
  std::vector<Change> changes;
  for (const Record& record : records) {
    A4C_TRY(Job job, JobOf(record));
    if (job.state != JobState::kPending || job.reason != reason::kNoCapacity) continue;
    job.due_at = now_ms;
    job.updated_at = now_ms;
    changes.push_back(
        {.ref = record.ref, .body = JobBody(job), .expect = a4c::Expect::Rev(record.rev)});
  }
  return changes;
}

// A conflict: one of them has been claimed or has ended, so that it waits no longer. The others do.
Result<void> Wake(const Call& call, a4c::Database& database, std::span<const Change> changes) {
  A4C_TRY(const a4c::Committed done,
          database.Write(call, {.changes = {changes.begin(), changes.end()}}));
  if (done.outcome != a4c::Committed::Outcome::kConflict || changes.size() == 1) return {};
  for (const Change& change : changes) A4C_CHECK(Wake(call, database, {&change, 1}));
  return {};
}

}  // namespace

Result<void> WakeRoomWaits(const Call& call, a4c::Database& database) {
  const int64_t now_ms = database.NowMs();
  for (int64_t queue = 0; queue < kQueues; ++queue) {
    A4C_TRY(const a4c::ScanAnswer page, database.Scan(call, {.kind = "job",
                                                             .index = "by_due",
                                                             .prefix = {queue},
                                                             .lower = now_ms,
                                                             .limit = kLookedAtMax}));
    A4C_TRY(const std::vector<Change> changes, ChangesOf(page.records, now_ms));
    for (size_t at = 0; at < changes.size(); at += kCommitChanges) {
      const size_t count = std::min(kCommitChanges, changes.size() - at);
      A4C_CHECK(Wake(call, database, std::span(changes).subspan(at, count)));
    }
  }
  return {};
}

}  // namespace a4cd
