#include "tests/simulation/app/app_watcher.h"

#include <algorithm>
#include <array>

#include "a4c/json.h"
#include "apps/a4cd/hosts/disk_service.h"
#include "apps/a4cd/jobs/job.h"
#include "apps/a4cd/jobs/workspace.h"
#include "apps/a4cd/placement/reservations.h"

namespace a4c::simulation {
namespace {

constexpr std::string_view kLease = "job_lease";

Scalar QuietOf(const Record& record, std::string_view name) {
  const auto found = record.quiet.find(name);
  return found == record.quiet.end() ? Scalar() : found->second;
}

int64_t LongOf(const Record& record, std::string_view name) {
  const Scalar value = QuietOf(record, name);
  const auto* number = std::get_if<int64_t>(&value);
  return number == nullptr ? 0 : *number;
}

bool Puts(const WriteBatch& batch, const RecordRef& ref) {
  return std::ranges::any_of(batch.ops, [&ref](const Op& op) {
    const Put* const put = std::get_if<Put>(&op);
    return put != nullptr && put->ref == ref;
  });
}

bool IsHeld(const Record& lease) {
  return std::holds_alternative<std::string>(QuietOf(lease, "holder"));
}

}  // namespace

std::optional<Record> AppWatcher::Get(const RecordRef& ref) {
  const auto found = cluster_.Get(std::span(&ref, 1));
  return found ? found->records[0] : std::nullopt;
}

void AppWatcher::Wrong(const RecordRef& ref, const std::string& what) {
  simulation_.Record(ref.kind + " " + ref.key.id + ": " + what);
}

void AppWatcher::Before(Store&, const WriteBatch& batch) {
  before_.clear();
  for (const Op& op : batch.ops) {
    const Put* const put = std::get_if<Put>(&op);
    if (put == nullptr || (put->ref.kind != kLease && put->ref.kind != "job")) continue;
    if (std::optional<Record> found = Get(put->ref)) before_[put->ref] = *std::move(found);
  }
}

void AppWatcher::After(Store&, const WriteBatch& batch) {
  CheckHolder(batch);
  for (const Op& op : batch.ops) {
    if (const Add* const add = std::get_if<Add>(&op)) CheckServer(add->ref.key.id);
    if (const Delete* const gone = std::get_if<Delete>(&op)) CheckGivenBack(*gone);
    const Put* const put = std::get_if<Put>(&op);
    if (put == nullptr) continue;
    const std::optional<Record> after = Get(put->ref);
    if (!after) continue;
    const auto before = before_.find(put->ref);
    const Record* const was = before == before_.end() ? nullptr : &before->second;
    if (put->ref.kind == kLease) CheckLease(was, *after);
    if (put->ref.kind == "job" && was != nullptr) CheckJob(*was, *after);
    if (put->ref.kind == "workspace") CheckPlaced(*after);
  }
}

void AppWatcher::CheckLease(const Record* before, const Record& after) {
  const int64_t epoch = LongOf(after, "epoch");
  const int64_t epoch_before = before == nullptr ? 0 : LongOf(*before, "epoch");
  if (epoch < epoch_before) Wrong(after.ref, "its epoch fell");
  if (!IsHeld(after)) return;
  const bool is_claim = epoch > epoch_before;
  if (is_claim) claims_[{simulation_.CurrentTask(), after.ref}] = epoch;
  if (before == nullptr || !IsHeld(*before)) {
    if (!is_claim) Wrong(after.ref, "was claimed without a new epoch");
    return;
  }
  if (is_claim && LongOf(*before, "until") > cluster_.StoreTimeMs()) {
    Wrong(after.ref, "was claimed while another's lease was alive");
  }
}

// The check of a lease is in every batch of a holder, whether it compares or not. Claims, renewals
// and releases are batches of the lease itself, with rules of their own.
void AppWatcher::CheckHolder(const WriteBatch& batch) {
  if (!writers_commit_alone_) return;
  for (const Op& op : batch.ops) {
    const Check* const check = std::get_if<Check>(&op);
    if (check == nullptr || check->ref.kind != kLease || Puts(batch, check->ref)) continue;
    const auto claim = claims_.find({simulation_.CurrentTask(), check->ref});
    const std::optional<Record> lease = Get(check->ref);
    // A claim that took effect late was not seen as its holder's; the batch itself says which it
    // is.
    const auto named = check->quiet.find("epoch");
    if (lease && named != check->quiet.end() && named->second == Scalar(LongOf(*lease, "epoch"))) {
      continue;
    }
    if (claim == claims_.end() || !lease || LongOf(*lease, "epoch") == claim->second) continue;
    Wrong(check->ref, "a holder of epoch " + std::to_string(claim->second) + " has written after " +
                          std::to_string(LongOf(*lease, "epoch")) + " was claimed");
  }
}

void AppWatcher::CheckJob(const Record& before, const Record& after) {
  const auto was = a4cd::JobOf(before);
  const auto is = a4cd::JobOf(after);
  if (!was || !is) return Wrong(after.ref, "is no job");
  if (is->reason.empty()) Wrong(after.ref, "has no reason");
  if (!was->finished()) return;
  const bool is_retry = is->state == a4cd::JobState::kPending && is->attempts == 0;
  if (is_retry) return;
  Wrong(after.ref, "was " + std::string(a4cd::JobStateName(was->state)) + " and is " +
                       std::string(a4cd::JobStateName(is->state)));
}

void AppWatcher::CheckPlaced(const Record& record) {
  const auto workspace = a4cd::WorkspaceOf(record);
  if (!workspace) return Wrong(record.ref, "is no workspace");
  if (record.tombstone || workspace->host.empty()) return;
  if (Get(a4cd::ReservationRef(workspace->host, record.ref.key.id))) return;
  Wrong(record.ref, "is on " + workspace->host + " without a reservation");
}

void AppWatcher::CheckServer(const std::string& server) {
  const std::optional<Record> host = Get(a4cd::HostRef(server));
  const auto page = cluster_.Scan(
      {.kind = "reservation", .index = "by_host", .prefix = {server}, .limit = 10'000});
  if (!host || !page) return simulation_.Record("server " + server + " cannot be read");
  struct Counter {
    std::string_view committed;
    const char* amount;
    int64_t total;
  };
  for (const Counter& counter : {Counter{a4cd::kDiskCommitted, "disk_bytes", kServerDisk},
                                 Counter{a4cd::kMemoryCommitted, "memory_bytes", kServerMemory},
                                 Counter{a4cd::kCpuCommitted, "cpu_millis", kServerCpu}}) {
    int64_t sum = 0;
    for (const Record& reservation : page->records) {
      const auto body = ParseJson(reservation.body);
      if (body) sum += (*body)[counter.amount].Int();
    }
    const int64_t committed = LongOf(*host, counter.committed);
    if (committed != sum) Wrong(host->ref, "its counters are not the sum of its reservations");
    if (committed > counter.total) Wrong(host->ref, "more is committed than it has");
  }
}

void AppWatcher::CheckGivenBack(const Delete& gone) {
  if (gone.ref.kind != "reservation") return;
  const size_t slash = gone.ref.key.id.find('/');
  const std::string server = gone.ref.key.id.substr(0, slash);
  if (!fleet_.Has(server, a4cd::UnitName(gone.ref.key.id.substr(slash + 1)))) return;
  Wrong(gone.ref, "was given back while the server still has the unit");
}

}  // namespace a4c::simulation
