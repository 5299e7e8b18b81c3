#include "apps/a4cd/hosts/reconciler.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/hosts/drain_loop.h"
#include "apps/a4cd/hosts/leftovers.h"
#include "apps/a4cd/jobs/job_service.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Host;
using a4c::LogLevel;
using a4c::Record;
using a4c::Result;
using a4c::UnitStatus;

class Reconciler final : public a4c::Loop {
 public:
  Reconciler(a4c::Database& database, a4c::HostProvider& hosts, HostTokens& tokens,
             Reservations& reservations, JobService& jobs, const a4c::Runtime& runtime,
             const ReconcilerOptions& options)
      : database_(database),
        hosts_(hosts),
        tokens_(tokens),
        reservations_(reservations),
        runtime_(runtime),
        options_(options),
        restarts_(jobs, runtime, options.restarts) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const std::vector<Host> hosts, hosts_.Hosts(call));
    std::set<std::string> seen;
    int64_t unclaimed = 0;
    for (const Host& host : hosts) {
      if (!host.reachable) {
        A4C_CHECK(NoteSilence(call, host));
        continue;
      }
      silent_since_ms_.erase(host.id);
      const Result<int64_t> count = Reconcile(call, host.id, seen);
      if (count) {
        unclaimed += *count;
        continue;
      }
      runtime_.log.Write(LogLevel::kWarning, name_, "a server could not be reconciled",
                         {{"host", host.id}, {"error", count.error().ToString()}});
    }
    seen_ = std::move(seen);
    runtime_.metrics.Gauge("a4c_host_units_unclaimed", {}, static_cast<double>(unclaimed));
    return options_.period_ms;
  }

 private:
  // Counted from when this instance saw it first: another may have seen it before, so later and
  // never too early.
  Result<void> NoteSilence(const Call& call, const Host& host) {
    const int64_t now_ms = runtime_.clock.MonotonicMs();
    const int64_t since_ms = silent_since_ms_.try_emplace(host.id, now_ms).first->second;
    if (now_ms - since_ms < options_.lost_after_ms) return {};
    A4C_TRY(const std::vector<Record> records, WorkspacesOn(call, database_, host.id));
    for (const Record& record : records) {
      A4C_TRY(const Workspace workspace, WorkspaceOf(record));
      if (workspace.actual != "running") continue;
      A4C_TRY(const bool is_busy, IsBusy(call, record));
      if (is_busy) continue;
      A4C_CHECK(Write(call, record, workspace,
                      {"lost", "its server " + host.id + " does not answer: " + host.reason}));
    }
    return {};
  }

  Result<bool> IsBusy(const Call& call, const Record& record) {
    return HasUnfinishedJob(call, database_, record.ref.key.scope,
                            WorkspaceSubject(record.ref.key.id));
  }

  // Records before units: what was recorded as running and is not listed afterwards has ended.
  Result<int64_t> Reconcile(const Call& call, const std::string& host,
                            std::set<std::string>& seen) {
    A4C_TRY(const std::vector<Record> records, WorkspacesOn(call, database_, host));
    Call bounded = call;
    bounded.deadline_ms =
        std::min(call.deadline_ms, call.clock.MonotonicMs() + options_.host_timeout_ms);
    A4C_TRY(std::vector<UnitStatus> units, hosts_.List(bounded, host));
    A4C_CHECK(reservations_.ReleaseOfEndedJobs(call, host));
    for (const Record& record : records) {
      const auto unit = std::ranges::find(units, UnitName(record.ref.key.id), &UnitStatus::name);
      const UnitStatus* found = unit == units.end() ? nullptr : &*unit;
      A4C_CHECK(Note(call, record, found));
      if (unit != units.end()) units.erase(unit);
    }
    A4C_TRY(const Leftovers leftovers, SortLeftovers(call, database_, units));
    for (const UnitStatus& unit : leftovers.removable) {
      const std::string key = host + "/" + unit.name;
      seen.insert(key);
      if (seen_.contains(key)) Remove(bounded, unit);
    }
    return static_cast<int64_t>(leftovers.unclaimed.size());
  }

  // Only what a server can tell: a workspace that is pending or failed waits for a user's job, or
  // for its restart.
  Result<void> Note(const Call& call, const Record& record, const UnitStatus* unit) {
    A4C_TRY(const Workspace workspace, WorkspaceOf(record));
    UnitView view{"failed", "its unit is gone from server " + workspace.host};
    if (unit != nullptr) view = ViewOf(*unit);
    const bool was_there = workspace.actual == "running" || workspace.actual == "lost";
    const bool is_news = workspace.actual != view.actual && (unit != nullptr || was_there) &&
                         (workspace.actual != "pending" || view.actual == "running");
    const bool wants_restart = WantsRestart(workspace, unit);
    const bool is_between = !workspace.updating.empty();
    if (!is_news && !wants_restart && !is_between) return {};
    A4C_TRY(const bool is_busy, IsBusy(call, record));
    if (is_busy) return {};
    if (is_between) return restarts_.Settle(call, record.ref.key.scope, workspace);
    return is_news ? Write(call, record, workspace, view)
                   : restarts_.Look(call, record.ref.key.scope, workspace, unit);
  }

  Result<void> Write(const Call& call, const Record& record, Workspace workspace,
                     const UnitView& view) {
    if (workspace.actual == "running" && view.actual != "lost") restarts_.NoteEnd(workspace);
    workspace.actual = view.actual;
    workspace.message = view.message;
    workspace.updated_at = runtime_.clock.NowMs();
    // A conflict: somebody knows better, or the next round does.
    A4C_CHECK(database_.Write(call, {.changes = {{.ref = record.ref,
                                                  .body = WorkspaceBody(workspace),
                                                  .expect = a4c::Expect::Rev(record.rev)}}}));
    return {};
  }

  void Remove(const Call& call, const UnitStatus& unit) {
    const Result<void> removed = RemoveLeftover(call, database_, hosts_, tokens_, unit);
    runtime_.log.Write(removed ? LogLevel::kInfo : LogLevel::kWarning, name_,
                       removed ? "a leftover was removed" : "a leftover could not be removed",
                       {{"host", unit.host},
                        {"unit", unit.name},
                        {"error", removed ? "" : removed.error().ToString()}});
  }

  const std::string name_ = "reconciler";
  a4c::Database& database_;
  a4c::HostProvider& hosts_;
  HostTokens& tokens_;
  Reservations& reservations_;
  const a4c::Runtime runtime_;
  const ReconcilerOptions options_;
  Restarts restarts_;
  std::map<std::string, int64_t> silent_since_ms_;
  std::set<std::string> seen_;  // removable, in the round before: "<host>/<unit>"
};

}  // namespace

std::unique_ptr<a4c::Loop> NewReconciler(a4c::Database& database, a4c::HostProvider& hosts,
                                         HostTokens& tokens, Reservations& reservations,
                                         JobService& jobs, const a4c::Runtime& runtime,
                                         const ReconcilerOptions& options) {
  return std::make_unique<Reconciler>(database, hosts, tokens, reservations, jobs, runtime,
                                      options);
}

}  // namespace a4cd
