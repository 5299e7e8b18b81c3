#include "apps/a4cd/work/job_gauges.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

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
  int64_t longest_ms = 0;  // of those whose turn it is
};

// Whose turn it is, as far as one look has asked. What waits behind an earlier job of its subject
// waits for no worker: that one may be at work, or wait for room, for as long as it takes.
class Turns {
 public:
  Turns(a4c::Database& database, size_t asked_max) : database_(database), asked_max_(asked_max) {}

  Result<bool> IsItsTurn(const Call& call, const std::string& tenant, const Job& job) {
    const std::pair subject(tenant, job.subject);
    auto first = first_.find(subject);
    if (first == first_.end()) {
      if (first_.size() >= asked_max_) return true;
      A4C_TRY(const ScanAnswer turn, database_.Scan(call, {.kind = JobKind().name,
                                                           .index = "by_turn",
                                                           .scope = tenant,
                                                           .prefix = {job.subject},
                                                           .limit = 1}));
      const bool has_ended = turn.records.empty();  // meanwhile
      first = first_.emplace(subject, has_ended ? job.id : turn.records[0].ref.key.id).first;
    }
    return first->second == job.id;
  }

 private:
  a4c::Database& database_;
  const size_t asked_max_;
  std::map<std::pair<std::string, std::string>, std::string> first_;  // its id, by subject
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
    Turns turns(database_, static_cast<size_t>(options_.turns_max));
    for (int64_t queue = 0; queue < kQueues; ++queue) {
      A4C_TRY(const ScanAnswer next, NextOf(call, queue));
      if (next.records.empty()) break;
      const Result<Job> job = JobOf(next.records[0]);
      // One that somebody has broken hides no others.
      if (job) queue = StoredQueue(next.records[0], queue);
      if (job && job->due_at > next.store_time_ms) continue;
      A4C_CHECK(
          Look(call, queue, next.store_time_ms, turns, IsOfLongJobs(queue) ? longer : shorter));
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

  Result<void> Look(const Call& call, int64_t queue, int64_t now_ms, Turns& turns,
                    Waiting& waiting) {
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
      // They come as they are due: behind the first whose turn it is none is asked about.
      const int64_t waits_ms = now_ms - job->due_at;
      if (waits_ms <= waiting.longest_ms) continue;
      A4C_TRY(const bool is_its_turn, turns.IsItsTurn(call, record.ref.key.scope, *job));
      if (is_its_turn) waiting.longest_ms = waits_ms;
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
