#include "apps/a4cd/hosts/disk_service.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Expect;
using a4c::RecordRef;
using a4c::Result;

namespace {

class DiskLoop final : public a4c::Loop {
 public:
  DiskLoop(DiskService& disks, const a4c::Clock& clock, int64_t period_ms)
      : disks_(disks), clock_(clock), period_ms_(period_ms) {}
  const std::string& name() const override { return name_; }
  // The period counts from where the round began, so that figures grow no older than that.
  Result<int64_t> Step(const Call& call) override {
    const int64_t begun_ms = clock_.MonotonicMs();
    A4C_CHECK(disks_.RefreshAnswering(call));
    return std::max<int64_t>(0, begun_ms + period_ms_ - clock_.MonotonicMs());
  }

 private:
  const std::string name_ = "hosts";
  DiskService& disks_;
  const a4c::Clock& clock_;
  const int64_t period_ms_;
};

class ApartLoop final : public a4c::Loop {
 public:
  ApartLoop(DiskService& disks, int64_t wait_ms) : disks_(disks), wait_ms_(wait_ms) {}
  const std::string& name() const override { return name_; }
  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(const bool has_more, disks_.RefreshApart(call));
    return has_more ? 0 : wait_ms_;
  }

 private:
  const std::string name_ = "hosts-apart";
  DiskService& disks_;
  const int64_t wait_ms_;
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

// The longer it had been silent when it was asked last, the longer it is left alone.
bool IsDue(const HostQuestion& question, const DiskOptions& options) {
  const HostFigures& figures = *question.record->figures;
  const int64_t silent_ms = figures.silent_ms - figures.asked_ms;
  return figures.asked_ms >=
         std::max(options.apart_wait_ms, std::min(silent_ms, options.apart_wait_max_ms));
}

}  // namespace

DiskService::DiskService(a4c::Database& database, a4c::HostProvider& hosts, Enrolments& enrolments,
                         const a4c::Runtime& runtime, const DiskOptions& options)
    : database_(database),
      enrolments_(enrolments),
      reader_(database, hosts, runtime, options.patience_ms),
      runtime_(runtime),
      options_(options),
      waiter_(runtime.threads.NewWaiter()) {}

Result<void> DiskService::Refresh(const Call& call) {
  return RoundOfOne(call, Whom::kAll);
}

Result<void> DiskService::RefreshAnswering(const Call& call) {
  return RoundOfOne(call, Whom::kAnswering);
}

Result<void> DiskService::RoundOfOne(const Call& call, Whom whom) {
  {
    a4c::Waiter::Lock lock(*waiter_);
    const bool somebody_is = in_round_;
    while (in_round_ && !call.Expired() && !call.Stopping()) waiter_->Wait(call.deadline_ms);
    if (in_round_) return Error(Code::kTimeout, "the servers are still being asked");
    if (somebody_is) return {};
    in_round_ = true;
  }
  Result<void> done = Round(call, whom);
  a4c::Waiter::Lock lock(*waiter_);
  in_round_ = false;
  refreshed_ms_ = runtime_.clock.MonotonicMs();
  waiter_->NotifyAll();
  return done;
}

Result<void> DiskService::Round(const Call& call, Whom whom) {
  A4C_TRY(const std::vector<HostRecord> records, ReadHosts(call, database_));
  A4C_CHECK(enrolments_.Follow(call, records));
  A4C_TRY(std::vector<HostQuestion> questions, reader_.Questions(call, records));
  A4C_CHECK(MakeRecords(call, questions));
  if (whom == Whom::kAnswering) std::erase_if(questions, std::mem_fn(&HostQuestion::IsApart));
  for (HostQuestion& question : questions) {
    question.is_last_word = whom == Whom::kAll;
    question.timeout_ms = question.is_last_word ? options_.host_timeout_ms : options_.patience_ms;
  }
  // One that is new and hangs holds up none of the others.
  std::ranges::stable_partition(questions, std::not_fn(std::mem_fn(&HostQuestion::IsNew)));
  return reader_.Read(call, questions, options_.hosts_at_once);
}

Result<bool> DiskService::RefreshApart(const Call& call) {
  A4C_TRY(const std::vector<HostRecord> records, ReadHosts(call, database_));
  if (std::ranges::none_of(records, &HostRecord::IsApart)) return false;
  A4C_CHECK(enrolments_.Follow(call, records));
  A4C_TRY(std::vector<HostQuestion> questions, reader_.Questions(call, records));
  std::erase_if(questions, [&](const HostQuestion& question) {
    return !question.IsApart() || !IsDue(question, options_);
  });
  std::ranges::stable_sort(questions, std::greater(), [](const HostQuestion& question) {
    return question.record->figures->asked_ms;
  });
  const bool has_more = questions.size() > static_cast<size_t>(options_.apart_at_once);
  if (has_more) questions.resize(static_cast<size_t>(options_.apart_at_once));
  for (HostQuestion& question : questions) question.timeout_ms = options_.host_timeout_ms;
  A4C_CHECK(reader_.Read(call, questions, options_.apart_at_once));
  return has_more;
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
  const Result<HostRecord> record = ReadHost(call, database_, id);
  if (!record) return record.error().code() == Code::kNotFound ? Result<void>() : record.error();
  A4C_TRY(std::vector<HostQuestion> questions, reader_.Questions(call, std::span(&*record, 1)));
  std::erase_if(questions, [&](const HostQuestion& question) {
    return question.id() != id || !question.is_provided;
  });
  for (HostQuestion& question : questions) question.timeout_ms = options_.host_timeout_ms;
  return reader_.Read(call, questions, 1);
}

// Also of one whose record was removed while it stands in the provider's config. One that the
// provider has from a record is never recorded here: its record may have been removed just now.
Result<void> DiskService::MakeRecords(const Call& call, std::span<const HostQuestion> questions) {
  std::vector<RecordRef> refs;
  const bool looks_at_all = !knows_records_;
  for (const HostQuestion& question : questions) {
    if (!question.is_provided) continue;
    if (looks_at_all || question.record == nullptr) refs.push_back(HostRef(question.id()));
  }
  if (refs.empty()) return {};
  A4C_TRY(const a4c::GetAnswer answer, database_.Get(call, refs));
  for (size_t i = 0; i < refs.size(); ++i) {
    const std::optional<a4c::Record>& record = answer.records.at(i);
    HostRecord host{.id = refs[i].key.id};
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
  knows_records_ = true;
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
    A4C_CHECK(RefreshAnswering(call));
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

std::vector<std::unique_ptr<a4c::Loop>> DiskService::NewLoops() {
  std::vector<std::unique_ptr<a4c::Loop>> loops;
  loops.push_back(std::make_unique<DiskLoop>(*this, runtime_.clock, options_.period_ms));
  loops.push_back(std::make_unique<ApartLoop>(*this, options_.apart_wait_ms));
  return loops;
}

}  // namespace a4cd
