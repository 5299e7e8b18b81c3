#include "apps/a4cd/upkeep/idle_loop.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4cd/jobs/presence.h"
#include "apps/a4cd/upkeep/passed_over.h"
#include "apps/at_once/at_once.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Json;
using a4c::Record;
using a4c::Result;
using a4c::UnitActivity;

// dockerd may take a second for each: so many are answered for in hosts.timeout (5 s) also by one
// connection.
constexpr size_t kUnitsOfAnAnswer = 4;

int64_t QuietMs(const Record& record, const char* field) {
  const auto found = record.quiet.find(field);
  const auto* value = found == record.quiet.end() ? nullptr : std::get_if<int64_t>(&found->second);
  return value == nullptr ? 0 : *value;
}

// "90 min", for people.
std::string Spelled(int64_t ms) {
  return ms % 60'000 == 0 ? std::to_string(ms / 60'000) + " min" : std::to_string(ms / 1000) + " s";
}

std::string PercentOf(int64_t millis) {
  const std::string tenths = millis % 10 == 0 ? "" : "." + std::to_string(millis % 10);
  return std::to_string(millis / 10) + tenths + " %";
}

class IdleLoop final : public a4c::Loop {
 public:
  IdleLoop(a4c::Database& database, a4c::HostActivity& activity, JobService& jobs,
           const a4c::Runtime& runtime, const IdleOptions& options)
      : database_(database),
        activity_(activity),
        jobs_(jobs),
        runtime_(runtime),
        options_(options) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    a4c::ScanRequest scan{.kind = "workspace",
                          .index = "by_idle_stop",
                          .lower = int64_t{1},
                          .limit = options_.batch_max};
    PassedOver passed_over(runtime_, name_);
    do {
      A4C_TRY(const a4c::ScanAnswer page, database_.Scan(call, scan));
      A4C_CHECK(LookAt(call, passed_over, page));
      scan.after = page.next;
    } while (!scan.after.empty());
    return options_.period_ms;
  }

 private:
  struct Seen {
    Record record;
    Workspace workspace;
  };
  using ByUnit = std::map<std::string, Seen>;

  Result<void> LookAt(const Call& call, PassedOver& passed_over, const a4c::ScanAnswer& page) {
    std::map<std::string, ByUnit> by_host;
    for (const Record& record : page.records) {
      Result<Workspace> workspace = WorkspaceOf(record);
      if (!workspace) A4C_CHECK(passed_over.Note(call, record.ref, workspace.error()));
      if (!workspace || workspace->desired != "running" || workspace->actual != "running") continue;
      Seen& seen = by_host[workspace->host][UnitName(workspace->id)];
      seen = {record, *std::move(workspace)};
    }
    const std::vector<std::pair<std::string, ByUnit>> hosts(by_host.begin(), by_host.end());
    std::vector<Result<void>> looked(hosts.size());
    a4c_at_once::AtOnce(runtime_, options_.hosts_at_once, hosts.size(), [&](size_t i) {
      looked[i] =
          LookAtHost(call, passed_over, hosts[i].first, hosts[i].second, page.store_time_ms);
      return looked[i].has_value();
    });
    for (const Result<void>& one : looked) A4C_CHECK(one);
    return {};
  }

  Result<void> LookAtHost(const Call& call, PassedOver& passed_over, const std::string& host,
                          const ByUnit& units, int64_t now_ms) {
    for (auto next = units.begin(); next != units.end();) {
      std::vector<std::string> names;
      for (; next != units.end() && names.size() < kUnitsOfAnAnswer; ++next) {
        names.push_back(next->first);
      }
      const Result<std::vector<UnitActivity>> read = ReadActivity(call, host, names);
      if (!read) {
        runtime_.log.Write(a4c::LogLevel::kWarning, name_, "a server did not tell what is idle",
                           {{"host", host}, {"error", read.error().ToString()}});
        return {};
      }
      for (const UnitActivity& unit : *read) {
        const auto seen = units.find(unit.name);
        if (seen == units.end()) continue;
        A4C_CHECK(passed_over.Note(call, seen->second.record.ref,
                                   Judge(call, seen->second, unit, now_ms)));
      }
    }
    return {};
  }

  Result<std::vector<UnitActivity>> ReadActivity(const Call& call, const std::string& host,
                                                 const std::vector<std::string>& names) {
    Call bounded = call;
    bounded.deadline_ms =
        std::min(call.deadline_ms, call.clock.MonotonicMs() + options_.host_timeout_ms);
    return activity_.Read(bounded, host, names);
  }

  // Of one that is seen for the first time, or has been started anew, nothing is known yet.
  bool Computes(const Record& record, const UnitActivity& unit, int64_t now_ms) const {
    const int64_t passed_ms = now_ms - QuietMs(record, "cpu_at");
    const int64_t used_ms = unit.cpu_ms - QuietMs(record, "cpu_ms");
    const bool is_known = QuietMs(record, "cpu_at") != 0 && used_ms >= 0;
    return !is_known || used_ms * 1000 >= options_.cpu_millis * std::max<int64_t>(1, passed_ms);
  }

  Result<void> Judge(const Call& call, const Seen& seen, const UnitActivity& unit, int64_t now_ms) {
    A4C_TRY(const bool is_busy, HasUnfinishedJob(call, database_, seen.record.ref.key.scope,
                                                 WorkspaceSubject(seen.workspace.id)));
    int64_t active_ms = QuietMs(seen.record, "active_at");
    if (is_busy || Computes(seen.record, unit, now_ms)) active_ms = now_ms;
    A4C_CHECK(database_.Write(
        call,
        {.also = {a4c::Put{
             .ref = seen.record.ref,
             .quiet = {{"cpu_ms", unit.cpu_ms}, {"cpu_at", now_ms}, {"active_at", active_ms}}}}}));
    const int64_t since_ms =
        std::max({active_ms, seen.workspace.session_at, seen.workspace.updated_at});
    if (now_ms - since_ms < seen.workspace.idle_stop_ms) return {};
    return Stop(call, seen);
  }

  // Only if nobody has come meanwhile.
  Result<void> Stop(const Call& call, const Seen& seen) {
    const std::string why = "it was idle for " + Spelled(seen.workspace.idle_stop_ms) +
                            ": no session, no job, and less than " +
                            PercentOf(options_.cpu_millis) + " of a processor";
    JobDraft draft;
    draft.type = "workspace.stop";
    draft.title = "stop " + seen.workspace.name + ": " + why;
    draft.payload = Json::Object{{"workspace", seen.workspace.id}, {"because", why}};
    const Principal principal{
        .tenant = seen.record.ref.key.scope, .key_id = "idle_stop", .scopes = {}};
    Result<PreparedWrite> write = jobs_.PrepareCreate(call, principal, draft);
    // Deleted meanwhile.
    if (!write &&
        (write.error().code() == Code::kConflict || write.error().code() == Code::kNotFound)) {
      return {};
    }
    if (!write) return write.error();
    const auto session = seen.record.quiet.find(kSessionAt);
    write->commit.also.emplace_back(a4c::Check{
        .ref = seen.record.ref,
        .rev = seen.record.rev,
        .quiet = {{std::string(kSessionAt),
                   session == seen.record.quiet.end() ? a4c::Scalar() : session->second}}});
    A4C_CHECK(database_.Write(call, write->commit));
    return {};
  }

  const std::string name_ = "idle";
  a4c::Database& database_;
  a4c::HostActivity& activity_;
  JobService& jobs_;
  const a4c::Runtime runtime_;
  const IdleOptions options_;
};

}  // namespace

std::unique_ptr<a4c::Loop> NewIdleLoop(a4c::Database& database, a4c::HostActivity& activity,
                                       JobService& jobs, const a4c::Runtime& runtime,
                                       const IdleOptions& options) {
  return std::make_unique<IdleLoop>(database, activity, jobs, runtime, options);
}

}  // namespace a4cd
