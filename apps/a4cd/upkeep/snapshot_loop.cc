#include "apps/a4cd/upkeep/snapshot_loop.h"

#include <string>
#include <utility>

#include "apps/a4cd/jobs/snapshot.h"
#include "apps/a4cd/upkeep/passed_over.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Json;
using a4c::Record;
using a4c::Result;

class SnapshotLoop final : public a4c::Loop {
 public:
  SnapshotLoop(a4c::Database& database, JobService& jobs, const a4c::Runtime& runtime,
               const SnapshotLoopOptions& options)
      : database_(database), jobs_(jobs), runtime_(runtime), options_(options) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    a4c::ScanRequest scan{.kind = "snapshot",
                          .index = "by_expiry",
                          .upper = database_.NowMs(),
                          .limit = options_.batch_max};
    PassedOver passed_over(runtime_, name_);
    do {
      A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, scan));
      for (const Record& record : page.records) {
        A4C_CHECK(passed_over.Note(call, record.ref, Look(call, record)));
      }
      scan.after = page.next;
    } while (!scan.after.empty());
    return options_.period_ms;
  }

 private:
  // One that is being made belongs to its job as long as that may go on. One that a restore holds
  // is not deleted, and looked at again.
  Result<void> Look(const Call& call, const Record& record) {
    A4C_TRY(const Snapshot snapshot, SnapshotOf(record));
    const std::string& tenant = record.ref.key.scope;
    A4C_TRY(const bool is_going,
            HasUnfinishedJob(call, database_, tenant, SnapshotSubject(snapshot.id)));
    if (is_going) return {};
    if (snapshot.state == "creating") {
      const Result<Job> job = jobs_.Get(call, tenant, snapshot.job);
      if (!job && job.error().code() != Code::kNotFound) return job.error();
      if (job && !job->finished()) return {};
    }
    return Delete(call, tenant, snapshot);
  }

  Result<void> Delete(const Call& call, const std::string& tenant, const Snapshot& snapshot) {
    JobDraft draft;
    draft.type = "snapshot.delete";
    draft.title = "a snapshot of " + snapshot.workspace_name +
                  (snapshot.state == "ready" ? ": its ttl is over" : ": it was not made whole");
    draft.payload = Json::Object{{"snapshot", snapshot.id}};
    return jobs_.CreateOwn(call, tenant, "snapshots", draft);
  }

  const std::string name_ = "snapshots";
  a4c::Database& database_;
  JobService& jobs_;
  const a4c::Runtime runtime_;
  const SnapshotLoopOptions options_;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewSnapshotLoop(a4c::Database& database, JobService& jobs,
                                           const a4c::Runtime& runtime,
                                           const SnapshotLoopOptions& options) {
  return std::make_unique<SnapshotLoop>(database, jobs, runtime, options);
}

}  // namespace a4cd
