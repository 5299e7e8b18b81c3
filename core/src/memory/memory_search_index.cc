#include <map>
#include <memory>

#include "a4c/digests.h"
#include "a4c/memory.h"
#include "a4c/rebuild.h"
#include "a4c/search_index.h"
#include "a4c/search_plan.h"
#include "memory/memory_kind_index.h"

namespace a4c {
namespace {

struct Generations {
  int64_t live = 0;  // 0: never ensured
  std::map<int64_t, memory::KindIndex> by_number;
};

struct Kinds {
  explicit Kinds(const Runtime& runtime) : waiter(runtime.threads.NewWaiter()) {}
  const std::unique_ptr<Waiter> waiter;  // guards by_name
  std::map<std::string, Generations, std::less<>> by_name;
};

Error UnknownKind(const std::string& kind) {
  return Error(Code::kNotFound, "search-memory: unknown kind \"" + kind + "\"",
               "call Ensure with it first");
}

Error NoGeneration(const Kind& kind, int64_t number) {
  return Error(Code::kNotFound,
               "search-memory: " + kind.name + " has no generation " + std::to_string(number));
}

Error IsLive(const Kind& kind, int64_t number) {
  return Error(Code::kConflict, "search-memory: generation " + std::to_string(number) + " of " +
                                    kind.name + " is live");
}

// The live generations of all kinds, or one generation of one kind.
class MemorySearchIndex final : public SearchIndex, public Digests, public Rebuild {
 public:
  explicit MemorySearchIndex(std::shared_ptr<Kinds> kinds) : kinds_(std::move(kinds)) {}
  MemorySearchIndex(std::shared_ptr<Kinds> kinds, std::string kind, int64_t number)
      : kinds_(std::move(kinds)), only_kind_(std::move(kind)), number_(number) {}

  Result<void> Ensure(const Call&, std::span<const Kind> kinds) override {
    for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
    const Waiter::Lock lock(*kinds_->waiter);
    for (const Kind& kind : kinds) {
      if (const memory::KindIndex* index = Find(kind.name)) A4C_CHECK(index->CheckSameTypes(kind));
    }
    for (const Kind& kind : kinds) {
      if (Find(kind.name) == nullptr && number_ == 0) kinds_->by_name[kind.name].live = 1;
      if (number_ == 0) kinds_->by_name[kind.name].by_number.try_emplace(Live(kind.name));
      memory::KindIndex* index = Find(kind.name);
      if (index == nullptr) return NoGeneration(kind, number_);
      index->SetKind(kind);
    }
    return {};
  }

  Result<std::vector<BulkResult>> Bulk(const Call&, std::span<const Document> documents) override {
    const Waiter::Lock lock(*kinds_->waiter);
    std::vector<BulkResult> results;
    results.reserve(documents.size());
    for (const Document& document : documents) {
      memory::KindIndex* index = Find(document.ref.kind);
      results.push_back(index != nullptr ? index->Index(document)
                                         : BulkResult{.outcome = BulkOutcome::kRejected,
                                                      .error = UnknownKind(document.ref.kind)});
    }
    return results;
  }

  Result<std::vector<BulkResult>> Remove(const Call&, std::span<const Purge> purges) override {
    const Waiter::Lock lock(*kinds_->waiter);
    for (const Purge& purge : purges) {
      if (memory::KindIndex* index = Find(purge.ref.kind)) index->Remove(purge.ref.key.id);
    }
    return std::vector<BulkResult>(purges.size(), {.outcome = BulkOutcome::kApplied});
  }

  Result<SearchAnswer> Search(const Call&, const SearchRequest& request) override {
    A4C_TRY(SearchPlan plan, PlanSearch(request));
    const Waiter::Lock lock(*kinds_->waiter);
    const memory::KindIndex* index = Find(request.kind.name);
    if (index == nullptr) return UnknownKind(request.kind.name);
    return index->Search(plan, request);
  }

  Result<void> Refresh(const Call&, const std::string& kind) override {
    const Waiter::Lock lock(*kinds_->waiter);
    memory::KindIndex* index = Find(kind);
    if (index == nullptr) return UnknownKind(kind);
    index->Refresh();
    return {};
  }

  Result<DigestSums> Sums(const Call&, const Kind& kind) override {
    const Waiter::Lock lock(*kinds_->waiter);
    const memory::KindIndex* index = Find(kind.name);
    if (index == nullptr) return UnknownKind(kind.name);
    return index->Sums();
  }

  Result<std::vector<DigestRow>> Rows(const Call&, const Kind& kind,
                                      std::span<const int> buckets) override {
    const Waiter::Lock lock(*kinds_->waiter);
    const memory::KindIndex* index = Find(kind.name);
    if (index == nullptr) return UnknownKind(kind.name);
    return index->Rows(buckets);
  }

  Result<std::vector<IndexGeneration>> Generations(const Call&, const Kind& kind) override {
    const Waiter::Lock lock(*kinds_->waiter);
    std::vector<IndexGeneration> list;
    for (const auto& [number, index] : kinds_->by_name[kind.name].by_number) {
      list.push_back({number, number == Live(kind.name)});
    }
    return list;
  }

  Result<void> Create(const Call&, const Kind& kind, int64_t number) override {
    A4C_CHECK(CheckKind(kind));
    const Waiter::Lock lock(*kinds_->waiter);
    if (Live(kind.name) == number) return IsLive(kind, number);
    const auto [at, is_new] = kinds_->by_name[kind.name].by_number.try_emplace(number);
    if (is_new) at->second.SetKind(kind);
    return {};
  }

  Result<std::unique_ptr<SearchIndex>> Open(const Call&, const Kind& kind,
                                            int64_t number) override {
    const Waiter::Lock lock(*kinds_->waiter);
    if (!kinds_->by_name[kind.name].by_number.contains(number)) return NoGeneration(kind, number);
    return std::unique_ptr<SearchIndex>(
        std::make_unique<MemorySearchIndex>(kinds_, kind.name, number));
  }

  Result<void> Swap(const Call&, const Kind& kind, int64_t number) override {
    const Waiter::Lock lock(*kinds_->waiter);
    auto& of_kind = kinds_->by_name[kind.name];
    if (!of_kind.by_number.contains(number)) return NoGeneration(kind, number);
    if (of_kind.live > number) return IsLive(kind, of_kind.live);
    of_kind.live = number;
    return {};
  }

  Result<void> Drop(const Call&, const Kind& kind, int64_t number) override {
    const Waiter::Lock lock(*kinds_->waiter);
    if (Live(kind.name) == number) return IsLive(kind, number);
    kinds_->by_name[kind.name].by_number.erase(number);
    return {};
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == Digests::kExtension) return static_cast<Digests*>(this);
    if (name == Rebuild::kExtension && number_ == 0) return static_cast<Rebuild*>(this);
    return nullptr;
  }

 private:
  // With the lock held; the generation that this object works on, or null.
  memory::KindIndex* Find(const std::string& kind) {
    if (number_ != 0 && kind != only_kind_) return nullptr;
    const auto found = kinds_->by_name.find(kind);
    if (found == kinds_->by_name.end()) return nullptr;
    auto& by_number = found->second.by_number;
    const auto at = by_number.find(number_ != 0 ? number_ : found->second.live);
    return at == by_number.end() ? nullptr : &at->second;
  }
  int64_t Live(const std::string& kind) { return kinds_->by_name[kind].live; }

  const std::shared_ptr<Kinds> kinds_;
  const std::string only_kind_;
  const int64_t number_ = 0;  // 0: the live one
};

}  // namespace

std::unique_ptr<SearchIndex> NewMemorySearchIndex(const Runtime& runtime) {
  return std::make_unique<MemorySearchIndex>(std::make_shared<Kinds>(runtime));
}

}  // namespace a4c
