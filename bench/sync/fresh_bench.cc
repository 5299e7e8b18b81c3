// How soon after its commit a record is searchable, at a fixed rate of commits, one record each.
//
//   fresh_bench RATE SECONDS         servers as dev/stack env names them
//   fresh_bench smoke RATE SECONDS   all in memory: does it run?
//
// One process with a Database over store-postgres, bus-kafka and search-elastic, and its loops as
// a4cd runs them; writers commit when it is due, whether those before are done or not. A record's
// time runs from the store's answer to its commit to the store's answer to the delete of its outbox
// row, which follows the refresh: no record is left out, and each was searchable by then. Besides,
// a searcher asks for the newest record each 10 ms until it is found, then for the next newest. The
// first ten seconds are not counted.
#include <Poco/URI.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "bench/support/runtime.h"
#include "bench/support/search_documents.h"
#include "bench/sync/sync_backends.h"

namespace a4c::bench {
namespace {

constexpr int kWriters = 48;
constexpr int kPollLoops = 2;
constexpr int64_t kLookMs = 10;
constexpr double kWarmSeconds = 10;
constexpr double kReachMs = 250;  // after a refresh

// Hands every call on, and sees when a record is committed and when it is confirmed.
class WatchedStore final : public Store {
 public:
  WatchedStore(Store& store, std::string kind)
      : store_(store), kind_(std::move(kind)), waiter_(TheRuntime().threads.NewWaiter()) {}

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return store_.Ensure(call, kinds);
  }
  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override {
    auto answer = store_.Apply(call, batches);
    if (answer) Note(batches, *answer);
    return answer;
  }
  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return store_.Get(call, refs);
  }
  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    return store_.Scan(call, request);
  }

  // Id and time of the last commit.
  std::pair<std::string, double> Newest() {
    const Waiter::Lock lock(*waiter_);
    return newest_;
  }
  // Of the records that are committed from now on.
  void Begin() {
    const Waiter::Lock lock(*waiter_);
    counted_from_ = Seconds();
  }
  std::vector<double> Milliseconds() {
    const Waiter::Lock lock(*waiter_);
    return milliseconds_;
  }

 private:
  void Note(std::span<const WriteBatch> batches, const ApplyAnswer& answer) {
    const double now = Seconds();
    const Waiter::Lock lock(*waiter_);
    for (size_t i = 0; i < batches.size(); ++i) {
      if (answer.results[i].outcome != BatchOutcome::kApplied) continue;
      for (const Op& op : batches[i].ops) NoteOp(op, now);
    }
  }

  void NoteOp(const Op& op, double now) {
    const auto* put = std::get_if<Put>(&op);
    const auto* removed = std::get_if<Delete>(&op);
    if (put != nullptr && put->ref.kind == kind_) {
      committed_[put->ref.key.id] = now;
      newest_ = {put->ref.key.id, now};
    } else if (removed != nullptr) {
      const auto found = committed_.find(removed->ref.key.id);
      if (found == committed_.end()) return;
      if (found->second >= counted_from_) milliseconds_.push_back((now - found->second) * 1e3);
      committed_.erase(found);
    }
  }

  Store& store_;
  const std::string kind_;
  const std::unique_ptr<Waiter> waiter_;  // guards all below
  std::map<std::string, double> committed_;
  std::pair<std::string, double> newest_;
  double counted_from_ = 1e300;
  std::vector<double> milliseconds_;
};

class Rig {
 public:
  Rig(Backends& backends, Bus& bus, const std::string& kind)
      : index_(*backends.index),
        kind_(KindNamed(kind)),
        store_(*backends.store, kind),
        database_({.store = store_, .bus = &bus, .index = &index_}, TheRuntime(), options_) {
    const Result<void> opened =
        database_.Open(Within(60'000), {{.kind = kind_, .searchable = true, .topic = "job-sync"}});
    if (!opened) Die(opened.error().ToString());
    Start(database_.NewSyncLoop(kind));
    for (int part = 0; part < kPollLoops; ++part) {
      Start(database_.NewPollLoop(kind, part, kPollLoops));
    }
  }

  // Commits a second.
  double Write(double rate, double seconds) {
    const double start = Seconds();
    std::atomic<int64_t> next = 0;
    std::vector<std::unique_ptr<Thread>> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.push_back(TheRuntime().threads.Start("writer", [&](const std::stop_token&) {
        for (int64_t number = next++; static_cast<double>(number) < rate * seconds;
             number = next++) {
          PauseUntil(start + static_cast<double>(number) / rate);
          Create(numbered_ + number);
        }
      }));
    }
    writers.clear();
    numbered_ += next;
    return rate * seconds / (Seconds() - start);
  }

  void Begin() {
    store_.Begin();
    searcher_ = TheRuntime().threads.Start(
        "searcher", [this](const std::stop_token& stop) { LookForNewest(stop); });
  }

  // All that was written is confirmed.
  void End() {
    searcher_.reset();
    const double deadline = Seconds() + 120;
    while (OrDie(database_.Status(Within(60'000), kind_.name)).outbox_rows > 0) {
      if (Seconds() > deadline) Die("the outbox was not empty after 120 s");
      Pause(200);
    }
    threads_.clear();
  }

  std::vector<double> Confirmed() { return store_.Milliseconds(); }
  const std::vector<double>& Found() const { return found_ms_; }
  int64_t refresh_period_ms() const { return options_.refresh_period_ms; }

 private:
  void Start(std::unique_ptr<Loop> loop) {
    loops_.push_back(std::move(loop));
    threads_.push_back(TheRuntime().threads.Start(
        "loop", [loop = loops_.back().get()](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const Result<int64_t> wait_ms =
                loop->Step(Call::Within(TheRuntime().clock, 30'000, stop));
            if (!wait_ms && !stop.stop_requested()) {
              std::fprintf(stderr, "%s\n", wait_ms.error().ToString().c_str());
            }
            const double until = Seconds() + static_cast<double>(wait_ms ? *wait_ms : 200) * 1e-3;
            while (!stop.stop_requested() && Seconds() < until) Pause(20);
          }
        }));
  }

  static void PauseUntil(double due) {
    const auto wait_ms = static_cast<int64_t>((due - Seconds()) * 1e3);
    if (wait_ms > 0) Pause(wait_ms);
  }

  void Create(int64_t number) {
    const std::string id = std::to_string(number);
    const Commit commit{.changes = {{.ref = {kind_.name, {"bench", id}},
                                     .body = BodyOf(static_cast<size_t>(number), number)}}};
    const Committed done = OrDie(database_.Write(Within(60'000), commit));
    if (done.outcome != Committed::Outcome::kApplied) Die("a record was not created");
  }

  // `attempts` is the record's number.
  void LookForNewest(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto [id, committed] = store_.Newest();
      if (id.empty()) {  // nothing has been committed yet
        Pause(kLookMs);
        continue;
      }
      const SearchRequest request{
          .kind = kind_, .query = OrDie(ParseQuery("attempts:" + id, kind_, 0)), .limit = 1};
      while (OrDie(index_.Search(Within(60'000), request)).hits.empty()) {
        if (stop.stop_requested()) return;
        Pause(kLookMs);
      }
      found_ms_.push_back((Seconds() - committed) * 1e3);
    }
  }

  SearchIndex& index_;
  const Kind kind_;
  const DatabaseOptions options_;
  WatchedStore store_;
  Database database_;
  int64_t numbered_ = 1;
  std::vector<double> found_ms_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::unique_ptr<Thread> searcher_;
};

std::unique_ptr<Bus> MakeBus(Backends& backends, bool smoke) {
  if (smoke) return NewMemoryBus(TheRuntime());
  return OrDie(backends.plugins->MakeBus(
      A4C_BUS_KAFKA,
      ConfigValue::Map(
          {{"brokers", ConfigValue::Scalar(FromEnvironment("A4C_TEST_KAFKA_BROKERS"))}})));
}

int Run(bool smoke, double rate, double seconds) {
  Backends backends = smoke ? InMemory() : OnServers("A4C_TEST_ELASTICSEARCH_URLS");
  const std::unique_ptr<Bus> bus = MakeBus(backends, smoke);
  const Kind kind =
      KindNamed("bench_fresh_" + std::to_string(TheRuntime().random.Next() % 100'000'000));
  Json line;
  {
    Rig rig(backends, *bus, kind.name);
    if (!smoke) rig.Write(rate, kWarmSeconds);
    rig.Begin();
    const double written = rig.Write(rate, seconds);
    rig.End();
    const double p99_ms = Percentile(rig.Confirmed(), 0.99);
    const double reach_ms = static_cast<double>(rig.refresh_period_ms()) + kReachMs;
    line.Set("question", "from a commit until the record is confirmed searchable");
    line.Set("store", smoke ? "memory" : "store-postgres").Set("bus", smoke ? "memory" : "kafka");
    line.Set("index", smoke ? "memory" : "search-elastic").Set("rate", rate);
    line.Set("seconds", seconds).Set("written_per_second", written);
    line.Set("records", static_cast<int64_t>(rig.Confirmed().size()));
    line.Set("p50_ms", Percentile(rig.Confirmed(), 0.5)).Set("p99_ms", p99_ms);
    line.Set("max_ms", Percentile(rig.Confirmed(), 1));
    line.Set("found", static_cast<int64_t>(rig.Found().size()));
    line.Set("found_p50_ms", Percentile(rig.Found(), 0.5));
    line.Set("found_p99_ms", Percentile(rig.Found(), 0.99));
    line.Set("refresh_period_ms", rig.refresh_period_ms()).Set("reach_ms", reach_ms);
    line.Set("kept", written > rate * 0.98 && p99_ms <= reach_ms);
  }
  if (!backends.url.empty()) {
    const Poco::URI uri(backends.url);
    Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
    Drop(session, kind);
  }
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  const bool smoke = argc == 4 && std::string_view(argv[1]) == "smoke";
  const double rate = argc < 3 ? 0 : std::strtod(argv[argc - 2], nullptr);
  const double seconds = argc < 3 ? 0 : std::strtod(argv[argc - 1], nullptr);
  if ((argc != 3 && !smoke) || rate <= 0 || seconds <= 0) {
    std::fprintf(stderr, "usage: fresh_bench [smoke] RATE SECONDS\n");
    return 2;
  }
  return a4c::bench::Run(smoke, rate, seconds);
}
