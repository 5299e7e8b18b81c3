#include <numeric>

#include "a4c/digests.h"
#include "a4c/rebuild.h"
#include "tests/simulation/nasty.h"

namespace a4c::simulation {
namespace {

// The live generation, or one that was opened.
class NastyIndex final : public SearchIndex, public Digests, public Rebuild, private NastyCalls {
 public:
  NastyIndex(Cluster& cluster, Process& process, std::shared_ptr<SearchIndex> opened)
      : NastyCalls(cluster, process), opened_(std::move(opened)) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    Before("index ensure");
    if (Fails("index ensure")) return Unavailable();
    {
      const Simulation::Still still;
      A4C_CHECK(index().Ensure(call, kinds));
    }
    After();
    return {};
  }

  // The documents of one bulk are written in any order, others' in between.
  Result<std::vector<BulkResult>> Bulk(const Call& call,
                                       std::span<const Document> documents) override {
    Before("bulk");
    if (Fails("bulk") || Chance(cluster_.faults.unknown)) return Unavailable();
    const bool answer_lost = Chance(cluster_.faults.unknown);
    std::vector<BulkResult> results(documents.size());
    for (const size_t i : Shuffled(documents.size())) {
      results[i] = BulkOne(call, documents[i]);
      if (Chance(200)) simulation().Yield();
    }
    if (Chance(cluster_.faults.refreshed_early)) {
      const Simulation::Still still;
      (void)index().Refresh(call, PhotoKind().name);
    }
    After();
    if (answer_lost) return Unavailable();
    return results;
  }

  Result<std::vector<BulkResult>> Remove(const Call& call, std::span<const Purge> purges) override {
    Before("remove");
    if (Fails("remove")) return Unavailable();
    Result<std::vector<BulkResult>> results = [&] {
      const Simulation::Still still;
      return index().Remove(call, purges);
    }();
    After();
    return results;
  }

  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    Before("search");
    if (Fails("search")) return Unavailable();
    Result<SearchAnswer> answer = [&] {
      const Simulation::Still still;
      return index().Search(call, request);
    }();
    After();
    return answer;
  }

  Result<void> Refresh(const Call& call, const std::string& kind) override {
    Before("refresh");
    if (Fails("refresh")) return Unavailable();
    {
      const Simulation::Still still;
      A4C_CHECK(index().Refresh(call, kind));
    }
    After();
    return {};
  }

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    Before("sums");
    if (Fails("sums")) return Unavailable();
    const Simulation::Still still;
    return index().As<Digests>()->Sums(call, kind);
  }

  Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                      std::span<const int> buckets) override {
    Before("rows");
    if (Fails("rows")) return Unavailable();
    const Simulation::Still still;
    return index().As<Digests>()->Rows(call, kind, buckets);
  }

  Result<std::vector<IndexGeneration>> Generations(const Call& call, const Kind& kind) override {
    Before("generations");
    if (Fails("generations")) return Unavailable();
    const Simulation::Still still;
    return rebuild().Generations(call, kind);
  }

  Result<void> Create(const Call& call, const Kind& kind, int64_t number) override {
    return Change("generation " + std::to_string(number) + " created",
                  [&] { return rebuild().Create(call, kind, number); });
  }

  Result<std::unique_ptr<SearchIndex>> Open(const Call& call, const Kind& kind,
                                            int64_t number) override {
    Before("open generation");
    if (Fails("open generation")) return Unavailable();
    const Simulation::Still still;
    A4C_TRY(std::unique_ptr<SearchIndex> opened, rebuild().Open(call, kind, number));
    return std::unique_ptr<SearchIndex>(
        std::make_unique<NastyIndex>(cluster_, process_, std::move(opened)));
  }

  Result<void> Swap(const Call& call, const Kind& kind, int64_t number) override {
    return Change("generation " + std::to_string(number) + " made the live one", [&] {
      Result<void> swapped = rebuild().Swap(call, kind, number);
      if (swapped) cluster_.CheckSwapped();
      return swapped;
    });
  }

  Result<void> Drop(const Call& call, const Kind& kind, int64_t number) override {
    return Change("generation " + std::to_string(number) + " dropped",
                  [&] { return rebuild().Drop(call, kind, number); });
  }

 protected:
  void* Extension(std::string_view name) override {
    if (name == Digests::kExtension) return static_cast<Digests*>(this);
    const bool rebuilds = cluster_.rebuilds && opened_ == nullptr;
    return name == Rebuild::kExtension && rebuilds ? static_cast<Rebuild*>(this) : nullptr;
  }

 private:
  BulkResult BulkOne(const Call& call, const Document& document) {
    BulkResult retry{.outcome = BulkOutcome::kRetry, .error = Unavailable()};
    if (Chance(cluster_.faults.document_retry)) return retry;
    if (Chance(cluster_.faults.late)) {
      simulation().Note("bulk: late");
      cluster_.Later(LateMs(), [cluster = &cluster_, opened = opened_, document] {
        const Simulation::Still still;
        SearchIndex& index = opened == nullptr ? cluster->index() : *opened;
        (void)index.Bulk(cluster->call(), std::span(&document, 1));
      });
      return retry;
    }
    const Simulation::Still still;
    Result<std::vector<BulkResult>> results = index().Bulk(call, std::span(&document, 1));
    if (!results) return {.outcome = BulkOutcome::kRetry, .error = results.error()};
    if (Chance(cluster_.faults.document_retry)) return retry;
    return std::move((*results)[0]);
  }

  std::vector<size_t> Shuffled(size_t size) {
    std::vector<size_t> order(size);
    std::iota(order.begin(), order.end(), size_t{0});
    for (size_t i = size; i > 1; --i) std::swap(order[i - 1], order[simulation().Below(i)]);
    return order;
  }

  Result<void> Change(const std::string& what, const std::function<Result<void>()>& change) {
    Before(what);
    if (Fails(what) || Chance(cluster_.faults.unknown)) return Unavailable();
    {
      const Simulation::Still still;
      A4C_CHECK(change());
    }
    simulation().Note(what);
    After();
    if (Chance(cluster_.faults.unknown)) return Lost();
    return {};
  }

  SearchIndex& index() { return opened_ == nullptr ? cluster_.index() : *opened_; }
  Rebuild& rebuild() { return *cluster_.index().As<Rebuild>(); }

  const std::shared_ptr<SearchIndex> opened_;  // null: the live one
};

}  // namespace

std::unique_ptr<SearchIndex> NewNastyIndex(Cluster& cluster, Process& process) {
  return std::make_unique<NastyIndex>(cluster, process, nullptr);
}

}  // namespace a4c::simulation
