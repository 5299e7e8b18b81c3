#include "apps/a4cd/upkeep/retention_loop.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "a4c/leases.h"
#include "a4c/sinks.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/placement/reservations.h"
#include "apps/a4cd/upkeep/passed_over.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Committed;
using a4c::Delete;
using a4c::Expect;
using a4c::Record;
using a4c::RecordRef;
using a4c::Result;

class RetentionLoop final : public a4c::Loop {
 public:
  RetentionLoop(a4c::Database& database, const a4c::Runtime& runtime,
                const RetentionOptions& options)
      : database_(database), runtime_(runtime), options_(options) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const int64_t now_ms, StoreTime(call));
    PassedOver passed_over(runtime_, name_);
    bool is_more = false;
    for (const auto& [state, keep_ms] : Ages()) {
      if (keep_ms == 0) continue;
      A4C_TRY(const bool more, RetireJobs(call, passed_over, state, now_ms - keep_ms));
      is_more = is_more || more;
    }
    for (const char* kind : {"workspace", "snapshot"}) {
      A4C_CHECK(PurgeDeleted(call, passed_over, kind, now_ms - options_.tombstone_keep_ms));
    }
    if (options_.audit_ms != 0) A4C_CHECK(PurgeAudit(call, now_ms - options_.audit_ms));
    return is_more ? 0 : options_.period_ms;
  }

 private:
  std::array<std::pair<JobState, int64_t>, 3> Ages() const {
    return {{{JobState::kSucceeded, options_.succeeded_ms},
             {JobState::kFailed, options_.failed_ms},
             {JobState::kCanceled, options_.canceled_ms}}};
  }

  // Any read tells it.
  Result<int64_t> StoreTime(const Call& call) {
    const RecordRef ref = JobRef("", "none");
    A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
    return answer.store_time_ms;
  }

  // True: there are more.
  Result<bool> RetireJobs(const Call& call, PassedOver& passed_over, JobState state,
                          int64_t before_ms) {
    A4C_TRY(const a4c::ScanAnswer page,
            database_.Scan(call, {.kind = "job",
                                  .index = "by_finished",
                                  .prefix = {std::string(JobStateName(state))},
                                  .upper = before_ms,
                                  .limit = options_.jobs_max}));
    int64_t retired = 0;
    for (const Record& job : page.records) {
      const Result<bool> is_gone = Retire(call, job);
      if (!is_gone) A4C_CHECK(passed_over.Note(call, job.ref, is_gone.error()));
      if (is_gone && *is_gone) ++retired;
    }
    runtime_.metrics.Count("a4c_jobs_retired_total", {{"state", JobStateName(state)}},
                           static_cast<double>(retired));
    // If none of a whole page could go, the rest waits for the next period.
    return !page.next.empty() && retired > 0;
  }

  // The log first: a job that is there names a log that is whole or going. False: the job has
  // changed meanwhile, so it is no longer what was judged.
  Result<bool> Retire(const Call& call, const Record& job) {
    A4C_TRY(const bool is_empty, DeleteLog(call, job));
    if (!is_empty) return false;
    const a4c::Change tombstone{
        .ref = job.ref, .body = job.body, .tombstone = true, .expect = Expect::Rev(job.rev)};
    A4C_TRY(const Committed done, database_.Write(call, {.changes = {tombstone}}));
    return done.outcome == Committed::Outcome::kApplied;
  }

  Result<bool> DeleteLog(const Call& call, const Record& job) {
    while (true) {
      A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, {.kind = "log_chunk",
                                                                .index = "by_job",
                                                                .scope = job.ref.key.scope,
                                                                .prefix = {job.ref.key.id},
                                                                .limit = options_.rows_max}));
      if (page.records.empty()) return true;
      // A job that is retried meanwhile keeps what is left of its log.
      a4c::Commit commit{.also = {a4c::Check{.ref = job.ref, .rev = job.rev}}};
      for (const Record& chunk : page.records) {
        commit.also.emplace_back(Delete{.ref = chunk.ref, .expect = Expect::Any()});
      }
      A4C_TRY(const Committed done, database_.Write(call, commit));
      if (done.outcome != Committed::Outcome::kApplied) return false;
    }
  }

  Result<void> PurgeDeleted(const Call& call, PassedOver& passed_over, const char* kind,
                            int64_t before_ms) {
    a4c::ScanRequest scan{.kind = kind,
                          .index = "by_deleted",
                          .upper = before_ms,
                          .tombstones = true,
                          .limit = options_.jobs_max};
    do {
      A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, scan));
      for (const Record& record : page.records) {
        A4C_CHECK(passed_over.Note(call, record.ref, Purge(call, record)));
      }
      scan.after = page.next;
    } while (!scan.after.empty());
    return {};
  }

  // Only once nothing of it is reserved: then its server has confirmed that nothing is left. Ids
  // are never used again, so the lease of its subject goes too.
  Result<void> Purge(const Call& call, const Record& record) {
    A4C_TRY(const a4c::Json body, a4c::ParseJson(record.body));
    const std::string& host = body["host"].Text();
    const std::string& id = record.ref.key.id;
    const bool is_snapshot = record.ref.kind == "snapshot";
    if (!record.tombstone) return {};
    if (!host.empty()) {
      const RecordRef reservation = ReservationRef(host, id);
      A4C_TRY(const a4c::GetAnswer held, database_.Get(call, std::span(&reservation, 1)));
      if (held.records.at(0)) return {};
    }
    A4C_CHECK(database_.Write(
        call, {.also = {Delete{.ref = record.ref, .expect = Expect::Rev(record.rev)},
                        Delete{.ref = a4c::LeaseRef(
                                   JobKind().name, record.ref.key.scope,
                                   is_snapshot ? SnapshotSubject(id) : WorkspaceSubject(id))}}}));
    return {};
  }

  Result<void> PurgeAudit(const Call& call, int64_t before_ms) {
    for (bool is_more = true; is_more;) {
      const Result<bool> forgotten = database_.Forget(call, AuditKind().name, before_ms);
      // A store that cannot forget what is written once keeps the audit log.
      if (!forgotten && forgotten.error().code() == a4c::Code::kUnsupported) return {};
      if (!forgotten) return forgotten.error();
      is_more = *forgotten;
    }
    return {};
  }

  const std::string name_ = "retention";
  a4c::Database& database_;
  const a4c::Runtime runtime_;
  const RetentionOptions options_;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewRetentionLoop(a4c::Database& database, const a4c::Runtime& runtime,
                                            const RetentionOptions& options) {
  return std::make_unique<RetentionLoop>(database, runtime, options);
}

}  // namespace a4cd
