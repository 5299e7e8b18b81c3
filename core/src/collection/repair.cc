#include <algorithm>

#include "collection/outbox.h"
#include "collection/sync_task.h"
#include "collection/verify.h"

namespace a4c {
namespace {

constexpr int kPageRecords = 500;

// Announces a page of the kind after `position`, and moves that on; empty at the end.
Result<int64_t> AnnouncePage(Database::State& state, const Call& call, const std::string& kind,
                             std::string& position) {
  A4C_TRY(ScanAnswer page,
          state.store->Scan(
              call, {.kind = kind, .tombstones = true, .after = position, .limit = kPageRecords}));
  std::vector<RecordRef> refs;
  for (Record& record : page.records) refs.push_back(std::move(record.ref));
  A4C_TRY(int64_t announced, AnnounceAgain(state, call, refs));
  position = page.next;
  return announced;
}

// Sends every record through the sync again, when it is asked to.
class RepairLoop final : public Loop {
 public:
  RepairLoop(Database::State& state, std::string kind)
      : state_(state),
        kind_(std::move(kind)),
        name_("repair-" + kind_),
        run_(state, kind_, SyncWork::kRepair) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(bool ours, run_.Claim(call));
    if (!ours) return kLookMs;
    while (!call.Stopping() && !call.Expired()) {
      SyncTask& task = run_.task();
      const auto announced = AnnouncePage(state_, call, kind_, task.position);
      if (!announced) return run_.Fail(call, announced.error());
      task.done += *announced;
      const Result<void> saved = task.position.empty() ? run_.End(call, SyncTask::State::kSucceeded)
                                                       : run_.SaveNowAndThen(call);
      if (!saved) return run_.Fail(call, saved.error());
      if (task.position.empty()) return kLookMs;
    }
    A4C_CHECK(run_.Save(call));
    return int64_t{0};
  }

 private:
  static constexpr int64_t kLookMs = 1'000;

  Database::State& state_;
  const std::string kind_;
  const std::string name_;
  TaskRun run_;
};

}  // namespace

// A row that is there already stays as it is: it is due by itself.
Result<int64_t> AnnounceAgain(Database::State& state, const Call& call,
                              std::span<const RecordRef> refs) {
  int64_t announced = 0;
  while (!refs.empty()) {
    const auto part = refs.first(std::min<size_t>(refs.size(), kPageRecords));
    A4C_TRY(GetAnswer found, state.store->Get(call, part));
    std::vector<WriteBatch> batches;
    for (size_t i = 0; i < part.size(); ++i) {
      const int64_t rev = found.records[i] ? found.records[i]->rev : 1;
      Put put = outbox::Announce(part[i], rev, state.runtime.random.Next(), found.store_time_ms, 0);
      put.expect = Expect::Absent();
      batches.push_back({{std::move(put)}});
    }
    A4C_TRY(const std::vector<BatchResult> results, ApplyRepeatable(state, call, batches));
    announced += std::ranges::count(results, BatchOutcome::kApplied, &BatchResult::outcome);
    refs = refs.subspan(part.size());
  }
  return announced;
}

// The sync compares revs and hashes and does the rest.
Result<int64_t> Database::Repair(const Call& call, const std::string& kind,
                                 std::span<const RecordRef> refs) {
  A4C_CHECK(state_->Searchable(kind));
  if (!refs.empty()) return AnnounceAgain(*state_, call, refs);
  int64_t announced = 0;
  std::string position;
  do {
    A4C_TRY(int64_t count, AnnouncePage(*state_, call, kind, position));
    announced += count;
  } while (!position.empty());
  return announced;
}

std::unique_ptr<Loop> Database::NewRepairLoop(const std::string& kind) {
  if (!state_->Searchable(kind) || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<RepairLoop>(*state_, kind);
}

}  // namespace a4c
