// host.purge: units of ours that no living record names, as after the store was lost or restored,
// go for good, with all that they keep. Only those that are named; without names they are listed.
//
// A purge is an operator's tombstone: it is committed first, expecting no record, under the job's
// lease and with an epoch above all that have acted on the unit. So nothing goes that a record
// names, also one that comes at that moment, nothing late brings the unit back, and should the
// server fall silent meanwhile, the reconciler goes on.
#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "a4c/host_description.h"
#include "apps/a4cd/executors/executors.h"
#include "apps/a4cd/executors/workspace_unit.h"
#include "apps/a4cd/hosts/drain_loop.h"
#include "apps/a4cd/hosts/leftovers.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/texts.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;
using a4c::UnitStatus;

constexpr size_t kListedMax = 256;  // as many as one job takes
constexpr size_t kToldMax = 8;      // in the message

Json ViewJson(const UnitStatus& unit) {
  Json view(Json::Object{{"unit", unit.name}, {"actual", ViewOf(unit).actual}});
  for (const auto& [member, label] : {std::pair{"workspace", kWorkspaceLabel},
                                      {"snapshot", kSnapshotLabel},
                                      {"tenant", kTenantLabel}}) {
    if (const std::string value = LabelOf(unit.labels, label); !value.empty()) {
      view.AppendMember(member, value);
    }
  }
  if (unit.started_at_ms != 0) view.AppendMember("started_at", TimeText(unit.started_at_ms));
  view.AppendMember("disk_used_bytes", unit.disk_used_bytes);
  return view;
}

// When the id was made (UUIDv7); 0: it does not say.
int64_t TimeOfId(const std::string& id) {
  constexpr size_t kVersionAt = 14;
  if (id.size() <= kVersionAt || id[kVersionAt] != '7') return 0;
  const std::string digits = id.substr(0, 8) + id.substr(9, 4);
  int64_t time_ms = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), time_ms, 16);
  return time_ms;
}

// The latest that is known, for a server's clock may be behind; 0: nobody knows.
int64_t BeganAt(const UnitStatus& unit) {
  return std::max({unit.started_at_ms, TimeOfId(LabelOf(unit.labels, kWorkspaceLabel)),
                   TimeOfId(LabelOf(unit.labels, kSnapshotLabel))});
}

class Purge {
 public:
  Purge(JobRun& run, JobLog& log)
      : run_(run),
        log_(log),
        host_(run.job().payload["host"].Text()),
        is_dry_(run.job().payload["dry_run"].Bool()) {}

  // What runs has its record by then: units are read before records.
  Result<Outcome> Run() {
    std::set<std::string> wanted;
    for (const std::string& unit : ListOf(run_.job().payload["units"])) wanted.insert(unit);
    A4C_CHECK(run_.context().enrolments.Know(run_.context().StoreCall(), host_));
    A4C_TRY(units_, run_.context().hosts.List(run_.HostCall(), host_));
    A4C_TRY(const std::vector<a4c::Record> records,
            WorkspacesOn(run_.context().StoreCall(), run_.context().database, host_));
    for (const a4c::Record& record : records) living_.insert(UnitName(record.ref.key.id));
    return wanted.empty() ? List() : PurgeAll(wanted);
  }

 private:
  Result<Outcome> List();
  Result<Outcome> PurgeAll(const std::set<std::string>& wanted);
  Result<void> PurgeOne(const UnitStatus& unit);
  Result<std::string> WhyItStays(const UnitStatus& unit, const Standing& standing) const;
  Result<int64_t> HostEpoch(const UnitStatus& unit) const;
  Result<void> Condemn(const UnitStatus& unit, int64_t host_epoch);
  void Tell(const UnitStatus& unit, const std::string& result, const std::string& why = "");
  Result<void> TellFailed(const UnitStatus& unit, const Error& error, const std::string& what_now);
  Outcome End();

  Result<Standing> Stands(const UnitStatus& unit) const {
    A4C_TRY(Standing standing,
            StandingOf(run_.context().StoreCall(), run_.context().database, unit));
    if (living_.contains(unit.name)) standing.record = Standing::Record::kLiving;
    return standing;
  }

  JobRun& run_;
  JobLog& log_;
  const std::string host_;
  const bool is_dry_;
  std::vector<UnitStatus> units_;
  std::set<std::string> living_;  // that records of this server name
  Json told_ = Json::Array{};
  std::vector<std::string> not_gone_;
  int64_t bytes_ = 0;
};

// "": nothing keeps it.
Result<std::string> Purge::WhyItStays(const UnitStatus& unit, const Standing& standing) const {
  switch (standing.record) {
    case Standing::Record::kLiving:
      return std::string("a record names it");
    case Standing::Record::kNone:
      return std::string(
          "its labels name neither a workspace nor a snapshot: look after it on the server itself");
    case Standing::Record::kLost:
    case Standing::Record::kDeleted:
    case Standing::Record::kAbsent:
      break;
  }
  // Whoever has made it may be at work, with a record that this store does not have: another copy
  // of it, on a server that cannot tell the two apart.
  const int64_t began_ms = BeganAt(unit);
  if (run_.NowMs() - began_ms >= run_.context().cleanup.purge_age_ms) return std::string();
  return "it began at " + TimeText(began_ms) + ", too short a while ago (cleanup.purge_age)";
}

Result<Outcome> Purge::List() {
  Json found(Json::Array{});
  int64_t count = 0;
  for (const UnitStatus& unit : units_) {
    A4C_TRY(const Standing standing, Stands(unit));
    if (standing.record == Standing::Record::kLiving || standing.GoesByItself(unit)) continue;
    if (++count > static_cast<int64_t>(kListedMax)) continue;
    Json view = ViewJson(unit);
    A4C_TRY(const std::string why, WhyItStays(unit, standing));
    if (!why.empty()) view.AppendMember("stays", why);
    found.Append(std::move(view));
  }
  log_.Note(std::to_string(count) + " units that no record names on " + host_ + "\n");
  return Outcome::Succeeded(
      Json::Object{{"host", host_}, {"unclaimed", std::move(found)}, {"unclaimed_count", count}});
}

void Purge::Tell(const UnitStatus& unit, const std::string& result, const std::string& why) {
  log_.Note(unit.name + ": " + result + (why.empty() ? "" : ", " + why) + "\n");
  const bool goes = result == "gone" || result == "would_go";
  if (goes) bytes_ += unit.disk_used_bytes;
  if (!goes) not_gone_.push_back(unit.name + ": " + why);
  Json view = ViewJson(unit);
  view.AppendMember("result", result);
  if (!why.empty()) view.AppendMember("reason", why);
  told_.Append(std::move(view));
}

// An error: the worker stops, and another one goes on.
Result<void> Purge::TellFailed(const UnitStatus& unit, const Error& error,
                               const std::string& what_now) {
  if (run_.Stopping()) return error;
  Tell(unit, "failed", error.message() + what_now);
  return {};
}

// Each for itself: what keeps one, or a server that does not answer for it, is told of that one. An
// error is the store's, or the worker's end, and the attempt is begun anew: what went by then is
// not there any more.
Result<Outcome> Purge::PurgeAll(const std::set<std::string>& wanted) {
  A4C_CHECK(run_.context().tokens.Introduce(run_.HostCall(), host_));
  for (const std::string& name : wanted) {
    if (run_.Stopping()) return Error(Code::kCanceled, "the worker stops");
    run_.ShowProgress(std::to_string(told_.Items().size()) + " of " +
                      std::to_string(wanted.size()) + " units");
    const auto unit = std::ranges::find(units_, name, &UnitStatus::name);
    if (unit != units_.end()) {
      A4C_CHECK(PurgeOne(*unit));
    } else {
      log_.Note(name + ": there is no such unit\n");
      told_.Append(
          Json::Object{{"unit", name}, {"result", "gone"}, {"reason", "there is no such unit"}});
    }
    if (run_.gone()) return Outcome::Gone();
  }
  return End();
}

Result<void> Purge::PurgeOne(const UnitStatus& unit) {
  A4C_TRY(const Standing standing, Stands(unit));
  A4C_TRY(const std::string why, WhyItStays(unit, standing));
  if (!why.empty() || is_dry_) {
    Tell(unit, why.empty() ? "would_go" : "stays", why);
    return {};
  }
  const Result<int64_t> host_epoch = HostEpoch(unit);
  if (!host_epoch) return TellFailed(unit, host_epoch.error(), "");
  const Result<void> condemned = Condemn(unit, *host_epoch);
  if (!condemned && condemned.error().code() == Code::kConflict) {
    Tell(unit, "stays", condemned.error().message());
    return {};
  }
  if (!condemned) return condemned.error();
  if (run_.gone()) return {};
  WorkContext& context = run_.context();
  const Result<void> removed =
      RemoveLeftover(run_.HostCall(), context.database, context.hosts, context.tokens, unit);
  if (!removed) {
    return TellFailed(unit, removed.error(), "; it is marked as deleted, and goes later");
  }
  Tell(unit, "gone");
  return {};
}

// Beside its label a server may know a higher one. One that cannot be described is judged by its
// label; its server refuses what is too low.
Result<int64_t> Purge::HostEpoch(const UnitStatus& unit) const {
  auto* description = run_.context().hosts.As<a4c::HostDescription>();
  if (description == nullptr) return unit.epoch;
  const Result<a4c::Unit> told = description->Describe(run_.HostCall(), host_, unit.name);
  if (told) return std::max(unit.epoch, told->epoch);
  if (told.error().retryable() || told.error().unknown_outcome()) return told.error();
  return unit.epoch;
}

// run_.gone() afterwards: the job is another's, and nothing was written.
Result<void> Purge::Condemn(const UnitStatus& unit, int64_t host_epoch) {
  A4C_CHECK(run_.Commit([&](Draft& draft) -> Result<void> {
    A4C_TRY(draft.also,
            VerdictOps(run_.context().StoreCall(), run_.context().database, unit,
                       {.host_epoch = host_epoch,
                        .now_ms = run_.NowMs(),
                        .by = run_.job().created_by,
                        .message = "purged from server " + host_ + " by job " + run_.job().id}));
    return {};
  }));
  return {};
}

Outcome Purge::End() {
  const size_t asked = told_.Items().size();
  Json result(Json::Object{{"host", host_}, {"dry_run", is_dry_}, {"bytes", bytes_}});
  result.AppendMember("units", std::move(told_));
  if (not_gone_.empty() || is_dry_) return Outcome::Succeeded(std::move(result));
  std::string message = std::to_string(not_gone_.size()) + " of " + std::to_string(asked) +
                        " units were not purged: ";
  for (size_t i = 0; i < std::min(not_gone_.size(), kToldMax); ++i) {
    message += (i == 0 ? "" : "; ") + not_gone_[i];
  }
  if (not_gone_.size() > kToldMax) message += "; and more, see the result";
  Outcome outcome = Outcome::Failed(reason::kError, std::move(message));
  outcome.result = std::move(result);
  return outcome;
}

}  // namespace

Result<Outcome> PurgeUnits(JobRun& run, JobLog& log) {
  return Purge(run, log).Run();
}

}  // namespace a4cd
