#include <numeric>

#include "a4c/digests.h"
#include "tests/simulation/nasty.h"

namespace a4c::simulation {
namespace {

class NastyIndex final : public SearchIndex, public Digests, private NastyCalls {
 public:
  using NastyCalls::NastyCalls;

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    Before("index ensure");
    if (Fails("index ensure")) return Unavailable();
    {
      const Simulation::Still still;
      A4C_CHECK(cluster_.index().Ensure(call, kinds));
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
      (void)cluster_.index().Refresh(call, PhotoKind().name);
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
      return cluster_.index().Remove(call, purges);
    }();
    After();
    return results;
  }

  Result<SearchAnswer> Search(const Call& call, const SearchRequest& request) override {
    Before("search");
    if (Fails("search")) return Unavailable();
    Result<SearchAnswer> answer = [&] {
      const Simulation::Still still;
      return cluster_.index().Search(call, request);
    }();
    After();
    return answer;
  }

  Result<void> Refresh(const Call& call, const std::string& kind) override {
    Before("refresh");
    if (Fails("refresh")) return Unavailable();
    {
      const Simulation::Still still;
      A4C_CHECK(cluster_.index().Refresh(call, kind));
    }
    After();
    return {};
  }

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    Before("sums");
    if (Fails("sums")) return Unavailable();
    const Simulation::Still still;
    return cluster_.index().As<Digests>()->Sums(call, kind);
  }

  Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                      std::span<const int> buckets) override {
    Before("rows");
    if (Fails("rows")) return Unavailable();
    const Simulation::Still still;
    return cluster_.index().As<Digests>()->Rows(call, kind, buckets);
  }

 protected:
  void* Extension(std::string_view name) override {
    return name == Digests::kExtension ? static_cast<Digests*>(this) : nullptr;
  }

 private:
  BulkResult BulkOne(const Call& call, const Document& document) {
    const BulkResult retry{.outcome = BulkOutcome::kRetry, .error = Unavailable()};
    if (Chance(cluster_.faults.document_retry)) return retry;
    if (Chance(cluster_.faults.late)) {
      simulation().Note("bulk: late");
      cluster_.Later(LateMs(), [cluster = &cluster_, document] {
        const Simulation::Still still;
        (void)cluster->index().Bulk(cluster->call(), std::span(&document, 1));
      });
      return retry;
    }
    const Simulation::Still still;
    Result<std::vector<BulkResult>> results = cluster_.index().Bulk(call, std::span(&document, 1));
    if (Chance(cluster_.faults.document_retry)) return retry;
    return std::move((*results)[0]);
  }

  std::vector<size_t> Shuffled(size_t size) {
    std::vector<size_t> order(size);
    std::iota(order.begin(), order.end(), size_t{0});
    for (size_t i = size; i > 1; --i) std::swap(order[i - 1], order[simulation().Below(i)]);
    return order;
  }
};

}  // namespace

std::unique_ptr<SearchIndex> NewNastyIndex(Cluster& cluster, Process& process) {
  return std::make_unique<NastyIndex>(cluster, process);
}

}  // namespace a4c::simulation
