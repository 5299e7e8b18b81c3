#include "a4c/memory.h"
#include "a4c/retention.h"
#include "a4c/store_clock.h"
#include "a4c/stored_kind.h"
#include "memory/memory_table.h"

namespace a4c {
namespace {

constexpr size_t kForgottenMax = 500;  // a call, while others wait

class MemoryStore final : public Store, public Retention, private BatchView {
 public:
  explicit MemoryStore(const Runtime& runtime)
      : clock_(runtime.clock), waiter_(runtime.threads.NewWaiter()) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    A4C_CHECK(CheckCall(call));
    for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
    const Waiter::Lock lock(*waiter_);
    auto next = std::make_shared<Kinds>(*kinds_);
    auto tables = tables_;
    for (const Kind& kind : kinds) {
      A4C_CHECK(EnsureOne(call, kind, tables));
      (*next)[kind.name] = kind;
    }
    tables_ = std::move(tables);
    kinds_ = std::move(next);
    return {};
  }

  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override {
    for (;;) {
      A4C_CHECK(CheckCall(call));
      // Bodies are parsed without the lock, and again if the kinds change meanwhile.
      const std::shared_ptr<const Kinds> kinds = CurrentKinds();
      std::vector<CheckedBatch> checked;
      checked.reserve(batches.size());
      for (const WriteBatch& batch : batches) checked.push_back(CheckBatch(call, *kinds, batch));
      const Waiter::Lock lock(*waiter_);
      if (kinds == kinds_) return ApplyChecked(checked);
    }
  }

  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    A4C_CHECK(CheckCall(call));
    const Waiter::Lock lock(*waiter_);
    A4C_CHECK(CheckRefs(call, *kinds_, refs));
    GetAnswer answer{clock_.NowMs(), {}};
    answer.records.reserve(refs.size());
    for (const RecordRef& ref : refs) answer.records.push_back(Table(ref.kind).Read(ref.key));
    return answer;
  }

  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    A4C_CHECK(CheckCall(call));
    const Waiter::Lock lock(*waiter_);
    A4C_TRY(const ScanPlan plan, CheckScan(call, *kinds_, request));
    ScanAnswer answer{clock_.NowMs(), {}};
    Table(request.kind).Scan(plan, request, answer);
    return answer;
  }

  Result<bool> Forget(const Call& call, const std::string& kind, int64_t before_ms) override {
    A4C_CHECK(CheckCall(call));
    const Waiter::Lock lock(*waiter_);
    A4C_CHECK(CheckForget(call, *kinds_, kind));
    return Table(kind).Forget(before_ms, kForgottenMax);
  }

 protected:
  void* Extension(std::string_view name) override {
    return name == Retention::kExtension ? static_cast<Retention*>(this) : nullptr;
  }

 private:
  using Tables = std::map<std::string, std::shared_ptr<MemoryTable>, std::less<>>;

  static Result<void> EnsureOne(const Call& call, const Kind& kind, Tables& tables) {
    std::shared_ptr<MemoryTable>& table = tables[kind.name];
    if (table == nullptr) {
      table = std::make_shared<MemoryTable>(kind);
      return {};
    }
    A4C_TRY(const bool newer, CheckUpgrade(table->kind(), kind));
    if (!newer) return {};
    A4C_TRY(MemoryTable migrated, table->Migrated(call, kind));
    table = std::make_shared<MemoryTable>(std::move(migrated));
    return {};
  }

  Result<ApplyAnswer> ApplyChecked(std::span<const CheckedBatch> checked) {
    ApplyAnswer answer{clock_.NowMs(), {}};
    answer.results.reserve(checked.size());
    for (const CheckedBatch& batch : checked) {
      A4C_TRY(Verdict verdict, Judge(batch, *this));
      for (const RowChange& change : verdict.changes) Table(change.ref->kind).Write(change);
      answer.results.push_back(std::move(verdict.result));
    }
    return answer;
  }

  Result<std::optional<StoredRow>> Find(const Kind& kind, const Key& key) override {
    return Table(kind.name).Find(key);
  }
  Result<std::optional<Key>> Holder(const UniqueClaim& claim) override {
    return Table(claim.kind->name).Holder(claim);
  }

  std::shared_ptr<const Kinds> CurrentKinds() {
    const Waiter::Lock lock(*waiter_);
    return kinds_;
  }
  MemoryTable& Table(std::string_view kind) { return *tables_.find(kind)->second; }
  StoreClock clock_;
  const std::unique_ptr<Waiter> waiter_;  // guards everything below
  std::shared_ptr<const Kinds> kinds_ = std::make_shared<Kinds>();
  Tables tables_;
};

}  // namespace

std::unique_ptr<Store> NewMemoryStore(const Runtime& runtime) {
  return std::make_unique<MemoryStore>(runtime);
}

}  // namespace a4c
