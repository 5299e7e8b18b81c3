#include "a4c/rebuild.h"
#include "collection/fill.h"
#include "collection/sync_task.h"
#include "collection/verify.h"

namespace a4c {
namespace {

constexpr int64_t kLookMs = 1'000;

// Fills a second generation of the index while the sync writes to both, proves it by digests, puts
// it in place and proves that, in phases that the task's record names. Each can be done again, so a
// crash costs no more than the page at hand. docs/design/rebuild.md says why it is sound.
class RebuildLoop final : public Loop {
 public:
  RebuildLoop(Database& database, Database::State& state, const Kind& kind)
      : database_(database),
        state_(state),
        kind_(kind),
        name_("rebuild-" + kind.name),
        run_(state, kind.name, SyncWork::kRebuild) {}

  const std::string& name() const override { return name_; }

  Result<int64_t> Step(const Call& call) override {
    A4C_TRY(bool ours, run_.Claim(call));
    if (!ours) return kLookMs;
    const Result<int64_t> next = Phase(call);
    return next ? next : run_.Fail(call, next.error());
  }

 private:
  Result<int64_t> Phase(const Call& call) {
    const std::string& phase = run_.task().phase;
    if (phase == "creating") return Create(call);
    if (phase == "copying") return Copy(call);
    if (phase == "proving") return Prove(call);
    if (phase == "swapping") return Swap(call);
    return Settle(call);
  }

  Result<Rebuild*> Generations() const {
    Rebuild* const rebuild = state_.backends.index->As<Rebuild>();
    if (rebuild != nullptr) return rebuild;
    return Error(Code::kUnsupported, "the search plugin cannot be rebuilt while it is searched");
  }

  Result<std::unique_ptr<SearchIndex>> OpenNext(const Call& call) const {
    A4C_TRY(Rebuild * rebuild, Generations());
    return rebuild->Open(call, kind_, run_.stored()->task.generation);
  }

  Result<int64_t> Enter(const Call& call, std::string phase) {
    run_.task().phase = std::move(phase);
    run_.task().message.clear();
    A4C_CHECK(run_.Save(call));
    return int64_t{0};
  }

  Result<int64_t> Create(const Call& call) {
    A4C_TRY(Rebuild * rebuild, Generations());
    A4C_CHECK(rebuild->Create(call, kind_, run_.task().generation));
    return Enter(call, "copying");
  }

  // The reading begins after the phase was committed, and in the order of ids, which never change.
  Result<int64_t> Copy(const Call& call) {
    A4C_TRY(const std::unique_ptr<SearchIndex> next, OpenNext(call));
    ScanRequest request{.kind = kind_.name,
                        .tombstones = true,
                        .after = run_.task().position,
                        .limit = state_.options.sync_batch_max};
    while (!call.Stopping() && !call.Expired()) {
      A4C_TRY(ScanAnswer page, state_.store->Scan(call, request));
      A4C_CHECK(FillRecords(call, *next, kind_, page.records));
      request.after = page.next;
      run_.task().position = page.next;
      run_.task().done += static_cast<int64_t>(page.records.size());
      if (page.next.empty()) return Enter(call, "proving");
      A4C_CHECK(run_.SaveNowAndThen(call));
    }
    A4C_CHECK(run_.Save(call));
    return int64_t{0};
  }

  Result<int64_t> Prove(const Call& call) {
    A4C_TRY(const std::unique_ptr<SearchIndex> next, OpenNext(call));
    A4C_TRY(const bool proved, Verify(call, *next));
    if (!proved) return state_.PollPeriodMs();
    return Enter(call, "swapping");
  }

  Result<int64_t> Swap(const Call& call) {
    A4C_TRY(Rebuild * rebuild, Generations());
    A4C_CHECK(rebuild->Swap(call, kind_, run_.task().generation));
    return Enter(call, "settling");
  }

  // What the old mapping refused may be good for the new one. The proof is of the live index now.
  Result<int64_t> Settle(const Call& call) {
    state_.index_ensured = false;
    A4C_CHECK(state_.EnsureIndex(call));
    A4C_CHECK(database_.RetryDeadLetters(call, kind_.name, {}));
    A4C_TRY(const bool proved, Verify(call, *state_.backends.index));
    if (!proved) return state_.PollPeriodMs();
    A4C_CHECK(run_.End(call, SyncTask::State::kSucceeded));
    return kLookMs;
  }

  // What has drifted is announced, and looked at again when the poller has had its time.
  Result<bool> Verify(const Call& call, SearchIndex& index) {
    const Call longer =
        Call::Within(state_.runtime.clock, VerifyTimeoutMs(state_.options), call.stop);
    A4C_CHECK(index.Refresh(longer, kind_.name));
    A4C_TRY(const VerifyReport report,
            VerifyIndex(state_, longer, kind_, index, [&](int64_t records) -> Result<void> {
              run_.task().done = records;
              return run_.SaveNowAndThen(longer);
            }));
    run_.task().done = run_.task().total = report.records;
    run_.task().mismatched_buckets = report.mismatched_buckets;
    run_.task().drift = static_cast<int64_t>(report.drift.size());
    if (report.drift.empty()) return true;
    A4C_CHECK(AnnounceAgain(state_, longer, report.drift));
    A4C_CHECK(run_.Save(longer));
    return false;
  }

  Database& database_;
  Database::State& state_;
  const Kind& kind_;
  const std::string name_;
  TaskRun run_;
};

}  // namespace

std::unique_ptr<Loop> Database::NewRebuildLoop(const std::string& kind) {
  const auto collection = state_->Searchable(kind);
  if (!collection || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<RebuildLoop>(*this, *state_, (*collection)->kind);
}

}  // namespace a4c
