#include "apps/a4cd/hosts/reconciler.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/hosts/drain_loop.h"
#include "apps/a4cd/hosts/enrolments.h"
#include "apps/a4cd/hosts/leftovers.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/at_once/at_once.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Host;
using a4c::LogLevel;
using a4c::Record;
using a4c::Result;
using a4c::UnitStatus;

enum class Whom : uint8_t { kAnswering, kApart };

class Reconciler final : public a4c::Loop {
 public:
  Reconciler(Whom whom, a4c::Database& database, a4c::HostProvider& hosts, HostTokens& tokens,
             Reservations& reservations, JobService& jobs, const a4c::Runtime& runtime,
             const ReconcilerOptions& options)
      : name_(whom == Whom::kApart ? "reconciler-apart" : "reconciler"),
        whom_(whom),
        database_(database),
        hosts_(hosts),
        tokens_(tokens),
        reservations_(reservations),
        runtime_(runtime),
        options_(options),
        restarts_(database, jobs, options.restarts),
        waiter_(runtime.threads.NewWaiter()) {}

  const std::string& name() const override { return name_; }

  // The period counts from where the round began, as that of the figures. In between only those
  // that have come back are visited.
  Result<int64_t> Step(const Call& call) override {
    const int64_t begun_ms = runtime_.clock.MonotonicMs();
    const bool looks = options_.look_ms > 0;
    const bool is_round = !looks || begun_ms >= next_round_ms_;
    A4C_TRY(std::vector<HostRecord> hosts, Servers(call));
    if (!is_round) std::erase_if(hosts, [this](const HostRecord& host) { return !IsBack(host); });
    const bool is_apart = whom_ == Whom::kApart;
    std::atomic<size_t> begun = 0;
    a4c_at_once::AtOnce(runtime_, is_apart ? options_.apart_at_once : options_.hosts_at_once,
                        hosts.size(), [&](size_t i) {
                          if (call.Expired() || call.Stopping()) return false;
                          ++begun;
                          Visit(call, hosts[i]);
                          return true;
                        });
    for (size_t i = 0; i < begun; ++i) seen_since_[hosts[i].id] = hosts[i].state.since;
    if (is_round) next_round_ms_ = begun_ms + options_.period_ms;
    if (is_round && begun > 0) last_ = hosts[begun - 1].id;
    CountUnclaimed();
    const int64_t next_ms =
        looks ? std::min(next_round_ms_, begun_ms + options_.look_ms) : next_round_ms_;
    return std::max<int64_t>(0, next_ms - runtime_.clock.MonotonicMs());
  }

 private:
  // In the order of their ids, from the one on that the last round did not come to.
  Result<std::vector<HostRecord>> Servers(const Call& call) {
    A4C_TRY(std::vector<HostRecord> hosts, ReadHosts(call, database_));
    std::erase_if(hosts, [this](const HostRecord& host) {
      return !host.figures || host.IsApart() != (whom_ == Whom::kApart);
    });
    std::ranges::sort(hosts, {}, &HostRecord::id);
    const auto is_gone = [&hosts](const auto& of_host) {
      return !std::ranges::binary_search(hosts, of_host.first, {}, &HostRecord::id);
    };
    std::erase_if(unclaimed_, is_gone);
    std::erase_if(seen_since_, is_gone);
    std::ranges::rotate(hosts, std::ranges::upper_bound(hosts, last_, {}, &HostRecord::id));
    return hosts;
  }

  // It answers, and did not when it was visited last: what happened there meanwhile nobody knows.
  bool IsBack(const HostRecord& host) const {
    if (host.state.name != kReachable) return false;
    const auto seen = seen_since_.find(host.id);
    return seen == seen_since_.end() || seen->second != host.state.since;
  }

  void Visit(const Call& call, const HostRecord& host) {
    const Host& figures = host.figures->host;
    const Result<void> done =
        figures.reachable ? Reconcile(call, host.id) : NoteSilence(call, *host.figures);
    if (done) return;
    runtime_.log.Write(LogLevel::kWarning, name_, "a server could not be reconciled",
                       {{"host", host.id}, {"error", done.error().ToString()}});
  }

  void NoteUnclaimed(const std::string& host, size_t count) {
    const a4c::Waiter::Lock lock(*waiter_);
    unclaimed_[host] = static_cast<int64_t>(count);
  }
  void CountUnclaimed() {
    int64_t unclaimed = 0;
    for (const auto& [host, count] : unclaimed_) unclaimed += count;
    runtime_.metrics.Gauge("a4c_host_units_unclaimed", {{"loop", name_}},
                           static_cast<double>(unclaimed));
  }

  // Counted to when it was asked last: since then it may have come back, so late and never too
  // early.
  Result<void> NoteSilence(const Call& call, const HostFigures& figures) {
    if (figures.silent_ms - figures.asked_ms < options_.lost_after_ms) return {};
    const Host& host = figures.host;
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
    return HasJobAtWork(call, database_, record.ref.key.scope, WorkspaceSubject(record.ref.key.id));
  }

  // Records before units: what was recorded as running and is not listed afterwards has ended.
  Result<void> Reconcile(const Call& call, const std::string& host) {
    A4C_TRY(const std::vector<Record> records, WorkspacesOn(call, database_, host));
    const int64_t list_ms = whom_ == Whom::kApart ? options_.host_timeout_ms : options_.patience_ms;
    A4C_TRY(std::vector<UnitStatus> units, hosts_.List(Bounded(call, list_ms), host));
    A4C_CHECK(reservations_.ReleaseOfEndedJobs(call, host));
    for (const Record& record : records) {
      const auto unit = std::ranges::find(units, UnitName(record.ref.key.id), &UnitStatus::name);
      const UnitStatus* found = unit == units.end() ? nullptr : &*unit;
      A4C_CHECK(Note(call, record, found));
      if (unit != units.end()) units.erase(unit);
    }
    A4C_TRY(const Leftovers leftovers, SortLeftovers(call, database_, units));
    NoteUnclaimed(host, leftovers.unclaimed.size());
    for (const UnitStatus& unit : leftovers.removable) {
      if (call.Expired() || call.Stopping()) break;
      Remove(Bounded(call, options_.host_timeout_ms), unit);
    }
    return {};
  }

  static Call Bounded(const Call& call, int64_t ms) {
    Call bounded = call;
    bounded.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + ms);
    return bounded;
  }

  // Only what a server can tell: a workspace that is pending or failed waits for a user's job, or
  // for its restart.
  Result<void> Note(const Call& call, const Record& record, const UnitStatus* unit) {
    A4C_TRY(const Workspace workspace, WorkspaceOf(record));
    UnitView view{"failed", "its unit is gone from server " + workspace.host};
    if (workspace.anew) unit = nullptr;  // of a life that was lost
    if (unit != nullptr) view = ViewOf(*unit);
    const bool was_there = workspace.actual == "running" || workspace.actual == "lost";
    const bool is_news = workspace.actual != view.actual && (unit != nullptr || was_there) &&
                         (workspace.actual != "pending" || view.actual == "running");
    const bool wants_job = WantsRestart(workspace, unit) || WantsStop(workspace, unit);
    const bool is_half = !workspace.restoring.empty() && workspace.actual == "pending";
    const bool is_between = IsBetween(workspace);
    if (!is_news && !wants_job && !is_between && !is_half) return {};
    A4C_TRY(const bool is_busy, IsBusy(call, record));
    if (is_busy) return {};
    if (is_half) return Write(call, record, workspace, HalfRestored(workspace));
    if (is_between) return restarts_.Settle(call, record.ref.key.scope, workspace);
    return is_news ? Write(call, record, workspace, view)
                   : restarts_.Look(call, record.ref.key.scope, workspace, unit);
  }

  // A job that was to bring it out of this has ended: it was canceled, or took too long.
  static bool IsBetween(const Workspace& workspace) {
    const bool has_rests = !workspace.also_on.empty() && workspace.actual == "running";
    return !workspace.updating.empty() || !workspace.paused_for.empty() || has_rests;
  }
  static UnitView HalfRestored(const Workspace& workspace) {
    return {"failed", "half restored from snapshot " + workspace.restoring + ": restore it again"};
  }

  Result<void> Write(const Call& call, const Record& record, Workspace workspace,
                     const UnitView& view) {
    if (workspace.actual == "running" && view.actual != "lost") restarts_.NoteEnd(workspace);
    workspace.actual = view.actual;
    workspace.message = view.message;
    workspace.updated_at = database_.NowMs();
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

  const std::string name_;
  const Whom whom_;
  a4c::Database& database_;
  a4c::HostProvider& hosts_;
  HostTokens& tokens_;
  Reservations& reservations_;
  const a4c::Runtime runtime_;
  const ReconcilerOptions options_;
  Restarts restarts_;
  int64_t next_round_ms_ = INT64_MIN;          // monotonic
  std::map<std::string, int64_t> seen_since_;  // by server: the state that it was visited in
  std::string last_;                           // the server that the last round came to last
  const std::unique_ptr<a4c::Waiter> waiter_;
  std::map<std::string, int64_t> unclaimed_;  // units by server; under waiter_ during visits
};

}  // namespace

std::vector<std::unique_ptr<a4c::Loop>> NewReconcilers(a4c::Database& database,
                                                       a4c::HostProvider& hosts, HostTokens& tokens,
                                                       Reservations& reservations, JobService& jobs,
                                                       const a4c::Runtime& runtime,
                                                       const ReconcilerOptions& options) {
  std::vector<std::unique_ptr<a4c::Loop>> loops;
  for (const Whom whom : {Whom::kAnswering, Whom::kApart}) {
    loops.push_back(std::make_unique<Reconciler>(whom, database, hosts, tokens, reservations, jobs,
                                                 runtime, options));
  }
  return loops;
}

}  // namespace a4cd
