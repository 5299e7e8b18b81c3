#include "apps/a4cd/hosts/disk_service.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "a4c/sinks.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::Host;
using a4c::RecordRef;
using a4c::Result;

namespace {

class DiskLoop final : public a4c::Loop {
 public:
  DiskLoop(DiskService& disks, int64_t period_ms) : disks_(disks), period_ms_(period_ms) {}
  const std::string& name() const override { return name_; }
  Result<int64_t> Step(const Call& call) override {
    A4C_CHECK(disks_.Refresh(call));
    return period_ms_;
  }

 private:
  const std::string name_ = "hosts";
  DiskService& disks_;
  const int64_t period_ms_;
};

// Whether somebody has read figures within this time, of all: a round makes the records first.
bool IsFresh(const std::vector<HostRecord>& hosts, int64_t age_ms_max) {
  return std::ranges::any_of(hosts,
                             [&](const HostRecord& host) {
                               return host.figures && host.figures->host.age_ms <= age_ms_max;
                             }) &&
         std::ranges::all_of(hosts,
                             [](const HostRecord& host) { return host.figures.has_value(); });
}

}  // namespace

DiskService::DiskService(a4c::Database& database, a4c::HostProvider& hosts, Enrolments& enrolments,
                         const a4c::Runtime& runtime, const DiskOptions& options)
    : database_(database),
      hosts_(hosts),
      enrolments_(enrolments),
      runtime_(runtime),
      options_(options),
      waiter_(runtime.threads.NewWaiter()) {}

Result<void> DiskService::Refresh(const Call& call) {
  {
    a4c::Waiter::Lock lock(*waiter_);
    const bool somebody_is = in_round_;
    while (in_round_ && !call.Expired() && !call.Stopping()) waiter_->Wait(call.deadline_ms);
    if (in_round_) return Error(Code::kTimeout, "the servers are still being asked");
    if (somebody_is) return {};
    in_round_ = true;
  }
  Result<void> done = Round(call);
  a4c::Waiter::Lock lock(*waiter_);
  in_round_ = false;
  refreshed_ms_ = runtime_.clock.MonotonicMs();
  waiter_->NotifyAll();
  return done;
}

Result<void> DiskService::Round(const Call& call) {
  A4C_TRY(std::vector<HostRecord> records, ReadHosts(call, database_));
  A4C_CHECK(enrolments_.Follow(call, records));
  A4C_TRY(const std::vector<Host> hosts, hosts_.Hosts(call));
  A4C_CHECK(MakeRecords(call, hosts));
  A4C_CHECK(AskAll(call, hosts));
  for (HostRecord& record : records) {
    if (std::ranges::find(hosts, record.id, &Host::id) != hosts.end()) continue;
    HostFigures lost = record.figures.value_or(HostFigures{.host = {.id = record.id}});
    lost.host.reachable = false;
    lost.host.reason = "the host provider does not know it: is it still in its config?";
    A4C_CHECK(Write(call, lost));
  }
  return {};
}

// One that is slow to answer does not keep the figures of the others from being written down.
Result<void> DiskService::AskAll(const Call& call, std::span<const Host> hosts) {
  std::vector<Result<void>> written(hosts.size());
  std::atomic<size_t> next = 0;
  const auto ask = [&](const std::stop_token&) {
    for (size_t i = next++; i < hosts.size(); i = next++)
      written[i] = Write(call, Ask(call, hosts[i]));
  };
  std::vector<std::unique_ptr<a4c::Thread>> helpers;
  const size_t threads = std::min(hosts.size(), static_cast<size_t>(options_.hosts_at_once));
  for (size_t i = 1; i < threads; ++i) helpers.push_back(runtime_.threads.Start("hosts", ask));
  ask({});
  for (const auto& helper : helpers) helper->Join();
  for (const Result<void>& one : written) A4C_CHECK(one);
  return {};
}

Result<void> DiskService::Look(const Call& call, const std::string& id) {
  A4C_CHECK(enrolments_.Know(call, id));
  bool had_a_round = false;
  {
    a4c::Waiter::Lock lock(*waiter_);
    had_a_round = refreshed_ms_ != INT64_MIN;
  }
  // Figures of this one alone would pass for those of all.
  if (!had_a_round) return Refresh(call);
  A4C_TRY(const std::vector<Host> hosts, hosts_.Hosts(call));
  const auto host = std::ranges::find(hosts, id, &Host::id);
  return host == hosts.end() ? Result<void>() : Write(call, Ask(call, *host));
}

// What a server uses beside our units. Figures and list are not of one moment, so it is no less
// than zero and may be a little off until the next refresh.
HostFigures DiskService::Ask(const Call& call, const Host& host) {
  HostFigures figures{host, host.disk_used_bytes};
  if (!host.reachable) return figures;
  Call bounded = call;
  bounded.deadline_ms =
      std::min(call.deadline_ms, call.clock.MonotonicMs() + options_.host_timeout_ms);
  const Result<std::vector<a4c::UnitStatus>> units = hosts_.List(bounded, host.id);
  if (!units) {
    runtime_.log.Write(a4c::LogLevel::kWarning, "hosts", "a server did not list its units",
                       {{"host", host.id}, {"error", units.error().ToString()}});
    figures.host.reachable = false;
    figures.host.reason = units.error().message();
    return figures;
  }
  for (const a4c::UnitStatus& unit : *units) figures.other_bytes -= unit.disk_used_bytes;
  figures.other_bytes = std::max<int64_t>(0, figures.other_bytes);
  return figures;
}

// Also of one whose record was removed while it stands in the provider's config. One that the
// provider has from a record is never recorded here: its record may have been removed just now.
Result<void> DiskService::MakeRecords(const Call& call, std::span<const Host> hosts) {
  std::vector<RecordRef> refs;
  for (const Host& host : hosts) refs.push_back(HostRef(host.id));
  if (refs.empty()) return {};
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, refs));
  for (size_t i = 0; i < refs.size(); ++i) {
    const std::optional<a4c::Record>& record = answer.records.at(i);
    HostRecord host{.id = hosts[i].id};
    const bool is_there = record && !record->tombstone;
    if (!is_there && enrolments_.HasAdded(host.id)) continue;
    if (is_there) {
      A4C_TRY(host, HostRecordOf(*record, answer.store_time_ms));
      if (HostBody(host) == record->body) continue;
    }
    // A conflict: another instance was first.
    A4C_CHECK(database_.Write(
        call, {.changes = {{.ref = refs[i],
                            .body = HostBody(host),
                            .expect = record ? Expect::Rev(record->rev) : Expect::Absent()}}}));
  }
  return {};
}

// Of a server that was removed meanwhile nothing is written.
Result<void> DiskService::Write(const Call& call, const HostFigures& figures) {
  const RecordRef ref = HostRef(figures.host.id);
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, std::span(&ref, 1)));
  if (!answer.records.at(0) || answer.records[0]->tombstone) return {};
  A4C_CHECK(database_.Write(
      call,
      {.also = {a4c::Put{.ref = ref, .quiet = FiguresFields(figures, answer.store_time_ms)}}}));
  return {};
}

bool DiskService::DidJustNow() {
  a4c::Waiter::Lock lock(*waiter_);
  return refreshed_ms_ != INT64_MIN &&
         runtime_.clock.MonotonicMs() - refreshed_ms_ < options_.period_ms;
}

Result<std::vector<HostRecord>> DiskService::Hosts(const Call& call) {
  A4C_TRY(std::vector<HostRecord> hosts, ReadHosts(call, database_));
  if (!DidJustNow() && !IsFresh(hosts, 2 * options_.period_ms)) {
    A4C_CHECK(Refresh(call));
    A4C_TRY(hosts, ReadHosts(call, database_));
  }
  // Whoever is chosen from this list must be known here too.
  A4C_CHECK(enrolments_.Follow(call, hosts));
  return hosts;
}

Result<HostRecord> DiskService::Find(const Call& call, const std::string& id) {
  Result<HostRecord> host = ReadHost(call, database_, id);
  if (host || host.error().code() != a4c::Code::kNotFound) return host;
  A4C_CHECK(Hosts(call));
  return ReadHost(call, database_, id);
}

Result<std::vector<Server>> DiskService::Servers(const Call& call) {
  A4C_TRY(const std::vector<HostRecord> hosts, Hosts(call));
  std::vector<Server> servers;
  for (const HostRecord& host : hosts) servers.push_back(ServerOf(host));
  return servers;
}

std::unique_ptr<a4c::Loop> DiskService::NewLoop() {
  return std::make_unique<DiskLoop>(*this, options_.period_ms);
}

}  // namespace a4cd
