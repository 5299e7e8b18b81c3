#include "apps/a4cd/hosts/enrolments.h"

#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "a4c/sinks.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Record;
using a4c::Result;
using a4c::Waiter;

namespace {

constexpr int kPage = 500;

class EnrolmentLoop final : public a4c::Loop {
 public:
  EnrolmentLoop(Enrolments& enrolments, a4c::Database& database, int64_t period_ms)
      : enrolments_(enrolments), database_(database), period_ms_(period_ms) {}
  const std::string& name() const override { return name_; }
  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const std::vector<HostRecord> hosts, ReadHosts(call, database_));
    A4C_CHECK(enrolments_.Follow(call, hosts));
    return period_ms_;
  }

 private:
  const std::string name_ = "enrolments";
  Enrolments& enrolments_;
  a4c::Database& database_;
  const int64_t period_ms_;
};

}  // namespace

Result<std::vector<HostRecord>> ReadHosts(const Call& call, a4c::Database& database) {
  std::vector<HostRecord> hosts;
  a4c::ScanRequest scan{.kind = "host", .scope = "", .limit = kPage};
  do {
    A4C_TRY(const a4c::ScanAnswer page, database.Scan(call, scan));
    for (const Record& record : page.records) {
      A4C_TRY(HostRecord host, HostRecordOf(record, page.store_time_ms));
      hosts.push_back(std::move(host));
    }
    scan.after = page.next;
  } while (!scan.after.empty());
  return hosts;
}

Result<HostRecord> ReadHost(const Call& call, a4c::Database& database, const std::string& id) {
  const Error missing(Code::kNotFound, "there is no server " + id, "list them: a4c host list");
  const a4c::RecordRef ref = HostRef(id);
  if (!a4c::CheckKey(ref.key)) return missing;
  A4C_TRY(const a4c::GetAnswer answer, database.Get(call, std::span(&ref, 1)));
  const std::optional<Record>& record = answer.records.at(0);
  if (!record || record->tombstone) return missing;
  return HostRecordOf(*record, answer.store_time_ms);
}

Enrolments::Enrolments(a4c::Database& database, a4c::HostProvider& hosts,
                       const a4c::Runtime& runtime, int64_t period_ms)
    : database_(database),
      provider_(hosts.As<a4c::HostEnrolment>()),
      runtime_(runtime),
      period_ms_(period_ms),
      waiter_(runtime.threads.NewWaiter()) {}

Result<void> Enrolments::Follow(const Call& call, std::span<const HostRecord> hosts) {
  if (provider_ == nullptr) return {};
  A4C_CHECK(Forget(call, hosts));
  for (const HostRecord& host : hosts) {
    if (!host.spec) continue;
    const Result<void> added = Add(call, host);
    if (added) continue;
    runtime_.log.Write(a4c::LogLevel::kWarning, "hosts", "an enrolled server was not taken",
                       {{"host", host.id}, {"error", added.error().ToString()}});
  }
  return {};
}

Result<void> Enrolments::Know(const Call& call, const std::string& host) {
  if (provider_ == nullptr || host.empty()) return {};
  return HasAdded(host) ? Result<void>() : Renew(call, host);
}

Result<void> Enrolments::Renew(const Call& call, const std::string& host) {
  if (provider_ == nullptr) return {};
  const Result<HostRecord> record = ReadHost(call, database_, host);
  // Who names a server that nobody knows is told so by the provider.
  if (!record && record.error().code() == Code::kNotFound) return {};
  if (!record) return record.error();
  if (!record->spec) return {};
  Result<void> added = Add(call, *record);
  if (added || added.error().retryable()) return added;
  // Another instance may have what this one lacks: its key file, for one.
  return Error(Code::kUnavailable,
               "this instance does not take server " + host + ": " + added.error().message(),
               added.error().hint());
}

bool Enrolments::HasAdded(const std::string& host) const {
  Waiter::Lock lock(*waiter_);
  return added_.contains(host);
}

Result<void> Enrolments::Add(const Call& call, const HostRecord& host) {
  const Added added{*host.spec, host.pinned_at};
  std::optional<Added> before;
  {
    Waiter::Lock lock(*waiter_);
    const auto known = added_.find(host.id);
    if (known != added_.end()) before = known->second;
  }
  if (before == added) return {};
  // Removed and enrolled again between two looks, or another key was accepted.
  if (before) A4C_CHECK(provider_->Remove(call, host.id));
  Result<void> taken = provider_->Add(call, added.spec);
  // The same machine is reached as it was until then. What is another one now is not.
  const bool is_kept = !taken && before && before->spec.fingerprint == added.spec.fingerprint &&
                       provider_->Add(call, before->spec);
  Waiter::Lock lock(*waiter_);
  if (taken) added_[host.id] = added;
  if (!taken && !is_kept) added_.erase(host.id);
  return taken;
}

Result<void> Enrolments::Forget(const Call& call, std::span<const HostRecord> hosts) {
  std::set<std::string_view> enrolled;
  for (const HostRecord& host : hosts) {
    if (host.spec) enrolled.insert(host.id);
  }
  std::vector<std::string> gone;
  {
    Waiter::Lock lock(*waiter_);
    for (const auto& [id, added] : added_) {
      if (!enrolled.contains(id)) gone.push_back(id);
    }
  }
  for (const std::string& id : gone) {
    // The records may be older than what was added since: the one record is asked again.
    const Result<HostRecord> now = ReadHost(call, database_, id);
    if (now && now->spec) continue;
    if (!now && now.error().code() != Code::kNotFound) return now.error();
    A4C_CHECK(provider_->Remove(call, id));
    Waiter::Lock lock(*waiter_);
    added_.erase(id);
  }
  return {};
}

std::unique_ptr<a4c::Loop> Enrolments::NewLoop() {
  if (provider_ == nullptr) return nullptr;
  return std::make_unique<EnrolmentLoop>(*this, database_, period_ms_);
}

}  // namespace a4cd
