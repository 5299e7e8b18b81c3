#include "apps/a4cd/work/job_gauges.h"

#include <algorithm>
#include <string>

#include "a4c/json.h"
#include "a4c/sinks.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Result;
using a4c::ScanAnswer;

struct Waiting {
  int read = 0;  // those that are at work as well: they stand among the others
  int jobs = 0;
  int64_t longest_ms = 0;
};

// Not QueueOf: an older version put long jobs among the others.
int64_t StoredQueue(const a4c::Record& record, int64_t otherwise) {
  const Result<a4c::Json> body = a4c::ParseJson(record.body);
  return body ? (*body)["queue_priority"].Int(otherwise) : otherwise;
}

class JobGauges final : public a4c::Loop {
 public:
  JobGauges(a4c::Database& database, const a4c::Runtime& runtime, const JobGaugesOptions& options)
      : database_(database), metrics_(runtime.metrics), options_(options) {}
  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    Waiting shorter;
    Waiting longer;
    for (int64_t queue = 0; queue < kQueues; ++queue) {
      A4C_TRY(const ScanAnswer next, NextOf(call, queue));
      if (next.records.empty()) break;
      const Result<Job> job = JobOf(next.records[0]);
      // One that somebody has broken hides no others.
      if (job) queue = StoredQueue(next.records[0], queue);
      if (job && job->due_at > next.store_time_ms) continue;
      A4C_CHECK(Look(call, queue, next.store_time_ms, IsOfLongJobs(queue) ? longer : shorter));
    }
    Tell("short", shorter);
    Tell("long", longer);
    return options_.period_ms;
  }

 private:
  void Tell(const char* length, const Waiting& waiting) {
    metrics_.Gauge("a4c_jobs_due", {{"length", length}}, waiting.jobs);
    metrics_.Gauge("a4c_jobs_due_age_seconds", {{"length", length}},
                   static_cast<double>(waiting.longest_ms) / 1000);
  }
  // The first job of that queue, or else of the next that has one.
  Result<ScanAnswer> NextOf(const Call& call, int64_t queue) {
    return database_.Scan(call,
                          {.kind = JobKind().name, .index = "by_due", .lower = queue, .limit = 1});
  }

  Result<void> Look(const Call& call, int64_t queue, int64_t now_ms, Waiting& waiting) {
    const int limit = std::max(options_.of_each_min, options_.counted_max - waiting.read);
    A4C_TRY(const ScanAnswer page, database_.Scan(call, {.kind = JobKind().name,
                                                         .index = "by_due",
                                                         .prefix = {queue},
                                                         .upper = now_ms + 1,
                                                         .limit = limit}));
    waiting.read += static_cast<int>(page.records.size());
    for (const a4c::Record& record : page.records) {
      const Result<Job> job = JobOf(record);
      if (!job || job->state != JobState::kPending) continue;
      ++waiting.jobs;
      waiting.longest_ms = std::max(waiting.longest_ms, now_ms - job->due_at);
    }
    return {};
  }

  const std::string name_ = "job-gauges";
  a4c::Database& database_;
  a4c::MetricSink& metrics_;
  const JobGaugesOptions options_;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewJobGauges(a4c::Database& database, const a4c::Runtime& runtime,
                                        const JobGaugesOptions& options) {
  return std::make_unique<JobGauges>(database, runtime, options);
}

}  // namespace a4cd
