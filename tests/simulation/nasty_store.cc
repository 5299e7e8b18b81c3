#include "tests/simulation/nasty.h"

namespace a4c::simulation {
namespace {

class NastyStore final : public Store, private NastyCalls {
 public:
  using NastyCalls::NastyCalls;

  Result<void> Ensure(const Call&, std::span<const Kind> kinds) override {
    Before("ensure");
    if (Fails("ensure")) return Unavailable();
    A4C_CHECK(cluster_.EnsureStore(kinds));
    After();
    return {};
  }

  Result<ApplyAnswer> Apply(const Call&, std::span<const WriteBatch> batches) override {
    Before("apply");
    if (Fails("apply")) return Unavailable();
    if (Chance(cluster_.faults.unknown)) return Lost();
    const bool answer_lost = Chance(cluster_.faults.unknown);
    const int failovers = cluster_.failovers();
    ApplyAnswer answer;
    size_t committed = 0;
    for (const WriteBatch& batch : batches) {
      answer.results.push_back(ApplyOne(batch, committed));
      if (Chance(200)) simulation().Yield();
    }
    if (answer_lost) {
      if (cluster_.failovers() == failovers) ReplicateLater(committed);
      return Lost();
    }
    After();  // the standby
    if (cluster_.failovers() != failovers) return Lost();
    if (committed > 0) cluster_.Replicate(committed);
    answer.store_time_ms = cluster_.StoreTimeMs();
    After();
    return answer;
  }

  Result<GetAnswer> Get(const Call&, std::span<const RecordRef> refs) override {
    Before("get");
    if (Fails("get")) return Unavailable();
    Result<GetAnswer> answer = cluster_.Get(refs);
    After();
    return answer;
  }

  Result<ScanAnswer> Scan(const Call&, const ScanRequest& request) override {
    Before("scan");
    if (Fails("scan")) return Unavailable();
    Result<ScanAnswer> answer = cluster_.Scan(request);
    After();
    return answer;
  }

 private:
  BatchResult ApplyOne(const WriteBatch& batch, size_t& committed) {
    BatchResult result;
    if (Chance(cluster_.faults.error)) {
      result.outcome = BatchOutcome::kNotApplied;
      result.error = Unavailable();
      return result;
    }
    if (Chance(cluster_.faults.late)) {
      simulation().Note("apply: late");
      cluster_.Later(LateMs(), [this_cluster = &cluster_, batch] {
        size_t position = 0;
        if (this_cluster->Commit(batch, &position).outcome == BatchOutcome::kApplied) {
          this_cluster->Replicate(position);
        }
      });
      result.error = Lost();
      return result;
    }
    size_t position = 0;
    result = cluster_.Commit(batch, &position);
    if (cluster_.next_taker_dies && position > 0 && Cluster::IsTake(batch)) {
      simulation().Note("crash, with a row in hand");
      cluster_.next_taker_dies = false;
      process_.crashed = true;
      process_.for_good = true;
    }
    if (Chance(cluster_.faults.unknown)) {
      simulation().Note("apply: the answer is lost");
      if (position > 0) ReplicateLater(position);
      result = {.error = Lost()};
    } else {
      committed = std::max(committed, position);
    }
    return result;
  }

  // The standby gets it in the end, unless it takes over before.
  void ReplicateLater(size_t position) {
    const int failovers = cluster_.failovers();
    cluster_.Later(LateMs(), [cluster = &cluster_, position, failovers] {
      if (cluster->failovers() == failovers) cluster->Replicate(position);
    });
  }
};

}  // namespace

std::unique_ptr<Store> NewNastyStore(Cluster& cluster, Process& process) {
  return std::make_unique<NastyStore>(cluster, process);
}

}  // namespace a4c::simulation
