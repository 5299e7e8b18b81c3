#include "a4c/rebuild.h"
#include "a4c/sinks.h"
#include "collection/fill.h"
#include "collection/next_index.h"
#include "collection/sync_task.h"
#include "collection/verify.h"

namespace a4c {
namespace {

constexpr int64_t kLookMs = 1'000;
constexpr int64_t kLostLookMs = 10'000;      // for an index that is gone, unless somebody missed it
constexpr int64_t kAfterFailureMs = 60'000;  // before a rebuild that failed is begun again

// Fills a second generation of the index while the sync writes to both, proves it by digests, puts
// it in place and proves that, in phases that the task's record names. Each can be done again, so a
// crash costs no more than the page at hand. docs/design/rebuild.md says why it is sound. It is
// begun by an operator, or here, when somebody has deleted the index.
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
    if (!ours) {
      A4C_TRY(ours, BeginIfLost(call));
    }
    if (!ours) return kLookMs;
    const Result<int64_t> next = Phase(call);
    return next ? next : run_.Fail(call, next.error());
  }

 private:
  // Of several instances one begins: the task is written where it was read before the look. The
  // sync confirms nothing until the new generation is live, so tokens keep their promise.
  Result<bool> BeginIfLost(const Call& call) {
    if (!MayBegin() || !IsTimeToLook()) return false;
    Rebuild* const rebuild = state_.backends.index->As<Rebuild>();
    if (rebuild == nullptr) return false;
    const auto list = rebuild->Generations(call, kind_);
    if (!list || !IsLost(state_, *list)) return false;       // an error: the status says so
    if (!NextIndex(state_, kind_).Find(call)) return false;  // it was retired: let it be gone
    const SyncTask task{.work = SyncWork::kRebuild,
                        .phase = "creating",
                        .started_ms = state_.store_time.NowMs(),
                        .generation = NextNumber(*list),
                        .index_was_lost = true};
    const auto begun = WriteTask(state_, call, kind_.name, run_.stored(), task, "");
    if (!begun && begun.error().code() == Code::kConflict) return false;  // another was first
    if (!begun) return begun.error();
    state_.runtime.log.Write(LogLevel::kWarning, "collection",
                             "the search index is gone: it is rebuilt from the store",
                             {{"kind", kind_.name}});
    return run_.Claim(call);
  }

  bool MayBegin() const {
    if (!run_.stored()) return true;
    const SyncTask& last = run_.stored()->task;
    if (last.state == SyncTask::State::kSucceeded) return true;
    return last.state != SyncTask::State::kRunning &&
           state_.store_time.NowMs() - last.ended_ms >= kAfterFailureMs;
  }

  bool IsTimeToLook() {
    const int64_t misses = state_.index_misses;
    const int64_t now_ms = state_.runtime.clock.MonotonicMs();
    if (misses == misses_seen_ && now_ms < look_at_ms_) return false;
    misses_seen_ = misses;
    look_at_ms_ = now_ms + kLostLookMs;
    return true;
  }

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
    A4C_CHECK(TakeOne(call, *next));
    return Enter(call, "swapping");
  }

  // One that takes nothing is proved too, if all that it lacks is on its way.
  Result<void> TakeOne(const Call& call, SearchIndex& index) const {
    A4C_TRY(const ScanAnswer first,
            state_.store->Scan(call, {.kind = kind_.name, .tombstones = true, .limit = 1}));
    return FillRecords(call, index, kind_, first.records);
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
  int64_t misses_seen_ = 0;
  int64_t look_at_ms_ = 0;
};

}  // namespace

std::unique_ptr<Loop> Database::NewRebuildLoop(const std::string& kind) {
  const auto collection = state_->Searchable(kind);
  if (!collection || state_->backends.index == nullptr) return nullptr;
  return std::make_unique<RebuildLoop>(*this, *state_, (*collection)->kind);
}

}  // namespace a4c
