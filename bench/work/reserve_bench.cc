// How many reserved placements a second three instances commit through one store, on 40 and on
// 1,000 servers, and how often a choice was overtaken by another.
//
//   reserve_bench [seconds] [memory | dsn] [workers of each instance]
//
// The servers are only pretended, equal, and have room for all. What is committed on them in the
// end has to be what was placed.
#include <mutex>

#include "a4c/json.h"
#include "a4c/memory.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/placement/reservations.h"
#include "bench/support/runtime.h"
#include "bench/support/stores.h"

namespace a4c::bench {
namespace {

constexpr int kInstances = 3;
constexpr int64_t kDisk = 1LL << 30;

Call NoHurry() {
  return Call::Within(TheRuntime().clock, 60'000);
}

MemoryHostOptions Servers(int count) {
  MemoryHostOptions options{.servers = {}};
  for (int i = 0; i < count; ++i) {
    options.servers.push_back({"server-" + std::to_string(i), 1LL << 50, 1LL << 50, 1'000'000'000});
  }
  return options;
}

// What a4cd has of a store and of placement.
class Instance {
 public:
  Instance(Store& store, HostProvider& hosts)
      : database_({.store = store}, TheRuntime()),
        opened_(database_.Open(NoHurry(), a4cd::AllCollections())),
        enrolments_(database_, hosts, TheRuntime(), 60'000),
        disks_(database_, hosts, enrolments_, TheRuntime()),
        reservations_(database_, disks_, TheRuntime(), {}) {
    if (!opened_) Die(opened_.error().ToString());
    const Result<void> refreshed = disks_.Refresh(NoHurry());
    if (!refreshed) Die(refreshed.error().ToString());
  }

  // The choices that it took.
  int Place(const std::string& workspace) {
    using Outcome = a4cd::Reserved::Outcome;
    int choices = 0;
    const auto changes = [&](const a4cd::Decision&) {
      ++choices;
      return Commit();
    };
    // A worker that was overtaken too often tries again as well, after a while.
    Outcome outcome = Outcome::kOvertaken;
    while (outcome == Outcome::kOvertaken) {
      outcome = OrDie(reservations_.Reserve(NoHurry(), "bench", workspace,
                                            {.amounts = {kDisk, kDisk, 1}}, changes))
                    .outcome;
    }
    if (outcome != Outcome::kPlaced) Die("a placement was refused");
    return choices;
  }

  int64_t Committed() {
    int64_t sum = 0;
    for (const a4cd::Server& server : OrDie(disks_.Servers(NoHurry()))) {
      sum += server.committed.disk_bytes;
    }
    return sum;
  }

 private:
  Database database_;
  Result<void> opened_;
  a4cd::Enrolments enrolments_;
  a4cd::DiskService disks_;
  a4cd::Reservations reservations_;
};

struct Figures {
  double per_second = 0;
  double p50_ms = 0;
  int retries_p50 = 0;
  int retries_p99 = 0;
  int retries_max = 0;
};

class Race {
 public:
  explicit Race(std::vector<std::unique_ptr<Instance>>& instances)
      : instances_(instances), ids_(TheRuntime().clock, TheRuntime().random) {}

  Figures Run(double seconds, long workers) {
    const double start = Seconds();
    {
      std::vector<std::unique_ptr<Thread>> threads;
      for (long i = 0; i < kInstances * workers; ++i) {
        Instance& instance = *instances_[static_cast<size_t>(i % kInstances)];
        threads.push_back(TheRuntime().threads.Start("placer", [&](const std::stop_token&) {
          while (Seconds() - start < seconds) PlaceOne(instance);
        }));
      }
    }
    const double elapsed = Seconds() - start;
    if (instances_[0]->Committed() != kDisk * static_cast<int64_t>(retries_.size())) {
      Die("what is committed is not what was placed");
    }
    std::ranges::sort(retries_);
    const size_t count = retries_.size();
    return {static_cast<double>(count) / elapsed, Median(took_ms_), retries_[count / 2],
            retries_[count * 99 / 100], retries_.back()};
  }

 private:
  void PlaceOne(Instance& instance) {
    const double begun = Seconds();
    const int choices = instance.Place(ids_.Next());
    const std::lock_guard lock(mutex_);
    retries_.push_back(choices - 1);
    took_ms_.push_back((Seconds() - begun) * 1e3);
  }

  std::vector<std::unique_ptr<Instance>>& instances_;
  IdSource ids_;
  std::mutex mutex_;
  std::vector<int> retries_;  // under mutex_, as is the next
  std::vector<double> took_ms_;
};

Json Measure(const std::string& dsn, int servers, double seconds, long workers) {
  const auto hosts = NewMemoryHostProvider(TheRuntime(), Servers(servers));
  Stores stores(dsn);
  std::vector<std::unique_ptr<Instance>> instances;
  for (int i = 0; i < kInstances; ++i) {
    instances.push_back(std::make_unique<Instance>(stores.Next(), *hosts));
  }
  const Figures figures = Race(instances).Run(seconds, workers);
  instances.clear();
  Json answer;
  answer.Set("per_second", figures.per_second).Set("p50_ms", figures.p50_ms);
  answer.Set("retries_p50", figures.retries_p50).Set("retries_p99", figures.retries_p99);
  answer.Set("retries_max", figures.retries_max);
  return answer;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const char* const known = std::getenv("A4C_TEST_POSTGRES_DSN");
  const std::string dsn = argc > 2 ? argv[2] : known == nullptr ? "" : known;
  if (dsn.empty()) Die("give a connection string or memory, or set A4C_TEST_POSTGRES_DSN");
  const long workers = Argument(argc, argv, 3, 2);  // as many as a4cd has by default
  a4c::Json line;
  line.Set("question", "reserved placements from 3 instances").Set("workers_each", workers);
  for (const int servers : {40, 1000}) {
    line.Set(std::to_string(servers) + "_servers",
             Measure(dsn, servers, static_cast<double>(Argument(argc, argv, 1, 10)), workers));
  }
  std::printf("%s\n", line.Set("reach_retries_p99", 1).ToString().c_str());
  return 0;
}
