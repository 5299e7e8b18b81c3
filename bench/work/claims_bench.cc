// How many jobs a second are claimed, begun and ended as succeeded, when there is nothing to do in
// them: by the workers of a4cd over store-postgres, with leases, the check of the epoch, and the
// outbox row of each change. Against Graphile Worker on the same server at the settings of its own
// performance test (bench/peers/graphile_worker).
//
//   claims_bench JOBS ROUNDS WORKERS PROCESSES   servers as dev/stack env names them; the peer's
//                                                processes
//   claims_bench smoke JOBS ROUNDS WORKERS       in memory and without the peer: does it run?
//
// Jobs are those of a client, written as the API writes them; each is about a subject of its own.
// Rounds alternate in who begins; the first is not counted.
#include <atomic>
#include <mutex>
#include <optional>

#include "a4c/json.h"
#include "a4c/memory.h"
#include "a4c/plugin_host.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/worker.h"
#include "bench/support/runtime.h"

namespace a4c::bench {
namespace {

constexpr const char* kTenant = "bench";
constexpr size_t kPerCommit = 200;

Call NoHurry() {
  return Call::Within(TheRuntime().clock, 600'000);
}

// a4cd's work side over a store, in a schema of the run's own.
class Workers {
 public:
  Workers(const std::string& dsn, long workers)
      : dsn_(dsn),
        plugins_(TheRuntime(), {}),
        store_(dsn.empty() ? NewMemoryStore(TheRuntime()) : OnServer()),
        hosts_(NewMemoryHostProvider(TheRuntime(), {})),
        ids_(TheRuntime().clock, TheRuntime().random),
        database_({.store = *store_}, TheRuntime()),
        jobs_(database_, TheRuntime(), ids_) {
    const Result<void> opened = database_.Open(NoHurry(), a4cd::AllCollections());
    if (!opened) Die(opened.error().ToString());
    a4cd::WorkerOptions options;
    options.work.workers = static_cast<int>(workers);
    worker_.emplace(database_, *store_, *hosts_, jobs_, ids_, TheRuntime(), options);
  }
  ~Workers() {
    worker_.reset();
    store_.reset();
    if (dsn_.empty()) return;
    const std::string drop =
        "psql -X -q '" + dsn_ + "' -c 'DROP SCHEMA " + schema_ + " CASCADE' 2>/dev/null";
    if (std::system(drop.c_str()) != 0) Die("the schema could not be dropped");
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void Create(long count) {
    const a4cd::Principal principal{.tenant = kTenant, .key_id = "bench", .scopes = {"*"}};
    Commit commit;
    for (long i = 0; i < count; ++i) {
      a4cd::JobDraft draft;
      draft.type = "image.build";
      draft.title = "nothing to do";
      draft.payload =
          Json::Object{{"tag", "nothing:" + std::to_string(++subjects_)}, {"context", "AAAA"}};
      const a4cd::PreparedWrite write = OrDie(jobs_.PrepareCreate(NoHurry(), principal, draft));
      std::ranges::move(write.commit.changes, std::back_inserter(commit.changes));
      if (commit.changes.size() < kPerCommit && i + 1 < count) continue;
      if (OrDie(database_.Write(NoHurry(), commit)).outcome != Committed::Outcome::kApplied) {
        Die("jobs were not created");
      }
      commit = {};
    }
    Vacuum();
  }

  // Seconds until all of them have ended, and no worker is at any.
  double Work(long count) {
    std::atomic<long> done = 0;
    auto loops = worker_->NewWorkLoops([&](a4cd::JobRun&, a4cd::JobLog&) {
      ++done;
      return a4cd::Outcome::Succeeded(Json::Object{});
    });
    const double begun = Seconds();
    {
      std::vector<std::unique_ptr<Thread>> threads;
      for (const auto& loop : loops) {
        threads.push_back(TheRuntime().threads.Start("worker", [&](const std::stop_token&) {
          while (done < count) OrDie(loop->Step(NoHurry()));
        }));
      }
    }
    const double seconds = Seconds() - begun;
    if (done != count) Die("a job was done twice");
    Check();
    return seconds;
  }

 private:
  std::unique_ptr<Store> OnServer() {
#ifdef A4C_STORE_POSTGRES
    return OrDie(plugins_.MakeStore(A4C_STORE_POSTGRES,
                                    ConfigValue::Map({{"dsn", ConfigValue::Scalar(dsn_)},
                                                      {"schema", ConfigValue::Scalar(schema_)}})));
#else
    Die("store-postgres is not built");
#endif
  }

  // As autovacuum does in the long run: the peer's table is treated alike.
  void Vacuum() const {
    if (dsn_.empty()) return;
    const std::string vacuum = "psql -X -q '" + dsn_ + "' -c 'VACUUM ANALYZE " + schema_ +
                               ".job' -c 'VACUUM ANALYZE " + schema_ + ".job_lease'";
    if (std::system(vacuum.c_str()) != 0) Die("the tables could not be vacuumed");
  }

  // All that was made has ended well, and waits to be synced.
  void Check() {
    for (const char* index : {"by_due", "by_created"}) {
      ScanRequest scan{.kind = "job", .index = index, .limit = 10'000};
      if (index == std::string("by_created")) scan.scope = kTenant;
      long records = 0;
      do {
        const ScanAnswer page = OrDie(database_.Scan(NoHurry(), scan));
        for (const Record& record : page.records) {
          if (OrDie(a4cd::JobOf(record)).state != a4cd::JobState::kSucceeded) {
            Die("a job did not end");
          }
        }
        records += static_cast<long>(page.records.size());
        scan.after = page.next;
      } while (!scan.after.empty());
      if (scan.scope && records != subjects_) Die("a job is missing");
    }
    const SyncStatus status = OrDie(database_.Status(NoHurry(), "job"));
    if (status.outbox_rows < std::min<long>(subjects_, 10'000)) Die("outbox rows are missing");
  }

  const std::string dsn_;
  const std::string schema_ = "a4c_bench_" + std::to_string(TheRuntime().random.Next());
  PluginHost plugins_;
  std::unique_ptr<Store> store_;
  const std::unique_ptr<HostProvider> hosts_;
  IdSource ids_;
  Database database_;
  a4cd::JobService jobs_;
  std::optional<a4cd::Worker> worker_;
  long subjects_ = 0;
};

// The last line that a command prints.
std::string LastLineOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Die("cannot start " + command);
  std::string line;
  char buffer[512];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) line = buffer;
  if (pclose(pipe) != 0) Die("the peer failed: " + line);
  return line;
}

// Jobs a second.
double Peer(const std::string& dsn, long jobs, long processes) {
  const std::string line =
      LastLineOf("NODE_NO_WARNINGS=1 exec node '" + FromEnvironment("A4C_PEER_GRAPHILE_WORKER") +
                 "' '" + dsn + "' " + std::to_string(jobs) + " " + std::to_string(processes));
  return static_cast<double>(jobs) / OrDie(ParseJson(line))["seconds"].Number();
}

int Run(const std::string& dsn, long jobs, long rounds, long workers, long processes) {
  Workers ours(dsn, workers);
  std::vector<double> by_us, by_peer, ratio;
  for (long round = -1; round < rounds; ++round) {
    double peer = 0;
    if (!dsn.empty() && round % 2 != 0) peer = Peer(dsn, jobs, processes);
    ours.Create(jobs);
    const double per_second = static_cast<double>(jobs) / ours.Work(jobs);
    if (!dsn.empty() && round % 2 == 0) peer = Peer(dsn, jobs, processes);
    if (round < 0) continue;
    by_us.push_back(per_second);
    by_peer.push_back(peer);
    if (peer > 0) ratio.push_back(per_second / peer);
  }
  Json line;
  line.Set("question", "claim to finish of jobs that do nothing, epoch and outbox on");
  line.Set("store", dsn.empty() ? "memory" : "store-postgres");
  line.Set("jobs", jobs).Set("rounds", rounds).Set("workers", workers);
  line.Set("jobs_per_second", Median(by_us));
  if (!dsn.empty()) {
    line.Set("peer", "graphile-worker 0.17.3, 24 jobs at a time, local queue of 500");
    line.Set("peer_processes", processes).Set("peer_jobs_per_second", Median(by_peer));
    line.Set("ratio", Median(ratio)).Set("reach", 1.0);
  }
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  if (argc != 5) {
    std::fprintf(stderr, "usage: claims_bench [smoke] JOBS ROUNDS WORKERS [PROCESSES]\n");
    return 2;
  }
  const bool smoke = std::string(argv[1]) == "smoke";
  const int first = smoke ? 2 : 1;
  const long jobs = Argument(argc, argv, first, 0);
  const long rounds = Argument(argc, argv, first + 1, 0);
  const long workers = Argument(argc, argv, first + 2, 0);
  const long processes = smoke ? 1 : Argument(argc, argv, 4, 0);
  if (jobs <= 0 || rounds <= 0 || workers <= 0 || processes <= 0) Die("numbers from 1 on");
  const std::string dsn = smoke ? "" : FromEnvironment("A4C_TEST_POSTGRES_DSN");
  return Run(dsn, jobs, rounds, workers, processes);
}
