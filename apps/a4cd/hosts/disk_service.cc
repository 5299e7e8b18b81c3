#include "apps/a4cd/hosts/disk_service.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "a4c/json.h"
#include "a4c/sinks.h"

namespace a4cd {

using a4c::Call;
using a4c::Host;
using a4c::Json;
using a4c::Record;
using a4c::RecordRef;
using a4c::Result;
using a4c::Waiter;

namespace {

int64_t Counter(const Record& record, std::string_view name) {
  const auto found = record.quiet.find(name);
  if (found == record.quiet.end()) return 0;
  const auto* value = std::get_if<int64_t>(&found->second);
  return value == nullptr ? 0 : *value;
}

Result<Server> ServerOf(const Host& host, int64_t other_bytes, const Record& record) {
  A4C_TRY(const Json said, a4c::ParseJson(record.body));
  Server server{.id = host.id,
                .total = {host.disk_total_bytes, host.memory_total_bytes, host.cpu_total_millis},
                .committed = {Counter(record, kDiskCommitted), Counter(record, kMemoryCommitted),
                              Counter(record, kCpuCommitted)},
                .disk_other_bytes = other_bytes,
                .reachable = host.reachable,
                .cordoned = said["cordoned"].Bool() || said["draining"].Bool(),
                .age_ms = host.age_ms};
  for (const auto& [name, value] : said["labels"].Members()) server.labels[name] = value.Text();
  return server;
}

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

}  // namespace

RecordRef HostRef(const std::string& id) {
  return {"host", {"", id}};
}

DiskService::DiskService(a4c::Database& database, a4c::HostProvider& hosts,
                         const a4c::Runtime& runtime, const DiskOptions& options)
    : database_(database),
      hosts_(hosts),
      runtime_(runtime),
      options_(options),
      waiter_(runtime.threads.NewWaiter()) {}

Result<void> DiskService::Refresh(const Call& call) {
  A4C_TRY(std::vector<Host> hosts, hosts_.Hosts(call));
  A4C_CHECK(MakeRecords(call, hosts));
  std::map<std::string, Figures> figures;
  for (Host& host : hosts) {
    Result<Figures> asked = Ask(call, host);
    if (!asked) {
      runtime_.log.Write(a4c::LogLevel::kWarning, "hosts", "a server did not list its units",
                         {{"host", host.id}, {"error", asked.error().ToString()}});
      host.reachable = false;
      host.reason = asked.error().message();
      asked = Figures{host, host.disk_used_bytes};
    }
    figures.emplace(host.id, *std::move(asked));
  }
  Waiter::Lock lock(*waiter_);
  figures_ = std::move(figures);
  refreshed_ms_ = runtime_.clock.MonotonicMs();
  return {};
}

// What a server uses beside our units. Figures and list are not of one moment, so it is no less
// than zero and may be a little off until the next refresh.
Result<DiskService::Figures> DiskService::Ask(const Call& call, const Host& host) {
  Figures figures{host, host.disk_used_bytes};
  if (!host.reachable) return figures;
  Call bounded = call;
  bounded.deadline_ms =
      std::min(call.deadline_ms, call.clock.MonotonicMs() + options_.host_timeout_ms);
  A4C_TRY(const std::vector<a4c::UnitStatus> units, hosts_.List(bounded, host.id));
  for (const a4c::UnitStatus& unit : units) figures.other_bytes -= unit.disk_used_bytes;
  figures.other_bytes = std::max<int64_t>(0, figures.other_bytes);
  return figures;
}

Result<void> DiskService::MakeRecords(const Call& call, std::span<const Host> hosts) {
  std::vector<RecordRef> refs;
  for (const Host& host : hosts) refs.push_back(HostRef(host.id));
  if (refs.empty()) return {};
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, refs));
  for (size_t i = 0; i < refs.size(); ++i) {
    if (answer.records.at(i)) continue;
    // A conflict: another instance was first.
    A4C_CHECK(database_.Write(call, {.changes = {{.ref = refs[i]}}}));
  }
  return {};
}

Result<std::vector<Server>> DiskService::Servers(const Call& call) {
  bool is_old = false;
  {
    Waiter::Lock lock(*waiter_);
    is_old = refreshed_ms_ == INT64_MIN ||
             runtime_.clock.MonotonicMs() - refreshed_ms_ > 2 * options_.period_ms;
  }
  if (is_old) A4C_CHECK(Refresh(call));
  std::vector<Figures> figures;
  int64_t age_ms = 0;
  {
    Waiter::Lock lock(*waiter_);
    for (const auto& [id, one] : figures_) figures.push_back(one);
    age_ms = runtime_.clock.MonotonicMs() - refreshed_ms_;
  }
  std::vector<RecordRef> refs;
  for (const Figures& one : figures) refs.push_back(HostRef(one.host.id));
  if (refs.empty()) return std::vector<Server>();
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, refs));
  std::vector<Server> servers;
  for (size_t i = 0; i < figures.size(); ++i) {
    if (!answer.records.at(i)) continue;
    A4C_TRY(Server server, ServerOf(figures[i].host, figures[i].other_bytes, *answer.records[i]));
    server.age_ms += age_ms;
    servers.push_back(std::move(server));
  }
  return servers;
}

std::unique_ptr<a4c::Loop> DiskService::NewLoop() {
  return std::make_unique<DiskLoop>(*this, options_.period_ms);
}

}  // namespace a4cd
