#include "apps/a4cd/jobs/room_waits.h"

#include "apps/a4cd/jobs/job.h"

namespace a4cd {

using a4c::Call;
using a4c::Record;
using a4c::Result;

namespace {

constexpr int kLookedAtMax = 500;  // of each priority

// A conflict: it has been claimed or has ended, so it waits no longer.
Result<void> Wake(const Call& call, a4c::Database& database, const Record& record) {
  A4C_TRY(Job job, JobOf(record));
  if (job.state != JobState::kPending || job.reason != reason::kNoCapacity) return {};
  job.due_at = call.clock.NowMs();
  job.updated_at = job.due_at;
  A4C_CHECK(database.Write(call, {.changes = {{.ref = record.ref,
                                               .body = JobBody(job),
                                               .expect = a4c::Expect::Rev(record.rev)}}}));
  return {};
}

}  // namespace

Result<void> WakeRoomWaits(const Call& call, a4c::Database& database) {
  for (int64_t queue = 0; queue <= kPriorityMax; ++queue) {
    A4C_TRY(const a4c::ScanAnswer page, database.Scan(call, {.kind = "job",
                                                             .index = "by_due",
                                                             .prefix = {queue},
                                                             .lower = call.clock.NowMs(),
                                                             .limit = kLookedAtMax}));
    for (const Record& record : page.records) A4C_CHECK(Wake(call, database, record));
  }
  return {};
}

}  // namespace a4cd
