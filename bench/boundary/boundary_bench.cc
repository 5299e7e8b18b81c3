// What the plugin boundary costs: the same call made directly, and through the loader with guard,
// watchdog and metrics on. Reach: an empty call at most 100 ns, Get of one record at most 1.2
// times.
//   boundary_bench [--benchmark_...]     the last line is JSON: medians, ratio, whether within
//   reach
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/memory.h"
#include "a4c/plugin_host.h"
#include "bench/boundary/empty_store/empty_store.h"
#include "bench/boundary/histogram_sink.h"

namespace a4c::bench {
namespace {

const Runtime& TheRuntime() {
  static auto* runtime = new Runtime(SystemRuntime(NullLogSink(), HistogramSink()));
  return *runtime;
}

PluginHost& Plugins() {
  static auto* host = new PluginHost(TheRuntime(), {.directories = {}, .check_ownership = false});
  return *host;
}

std::unique_ptr<Store> Guarded(const char* file) {
  auto store = Plugins().MakeStore(file, {});
  if (store) return *std::move(store);
  std::fprintf(stderr, "%s\n", store.error().ToString().c_str());
  std::exit(1);
}

void EmptyCall(benchmark::State& state, Store& store) {
  const Call call = Call::Within(TheRuntime().clock, 3'600'000);
  for (auto _ : state) benchmark::DoNotOptimize(store.Ensure(call, {}));
}

[[maybe_unused]] void GetOfOne(benchmark::State& state, Store& store) {
  const Kind kind{.name = "photo"};
  const RecordRef ref{.kind = "photo", .key = {"", "0190c8a0-0000-7000-8000-000000000001"}};
  const Call call = Call::Within(TheRuntime().clock, 3'600'000);
  const WriteBatch batch{{Put{.ref = ref, .body = R"({"title":"Pier at dawn","album":"sea"})"}}};
  if (!store.Ensure(call, std::span(&kind, 1)) || !store.Apply(call, std::span(&batch, 1))) {
    state.SkipWithError("cannot write the record");
  }
  for (auto _ : state) {
    auto answer = store.Get(call, std::span(&ref, 1));
    if (!answer || !answer->records[0]) state.SkipWithError("the record is not there");
    benchmark::DoNotOptimize(answer);
  }
}

// Keeps what the console shows, to make the last line of it.
class Reporter final : public benchmark::ConsoleReporter {
 public:
  Reporter() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      times_[run.run_name.function_name].push_back(run.GetAdjustedCPUTime());
    }
    ConsoleReporter::ReportRuns(runs);
  }
  double Median(const std::string& name) {
    std::vector<double>& times = times_[name];
    if (times.empty()) return 0;
    std::ranges::sort(times);
    return times[times.size() / 2];
  }

 private:
  std::map<std::string, std::vector<double>> times_;
};

Json Pair(Reporter& reporter, const std::string& name) {
  const double bare = reporter.Median(name + "/bare");
  const double guarded = reporter.Median(name + "/guarded");
  Json line;
  line.Set("bare_ns", bare).Set("guarded_ns", guarded);
  return line.Set("ratio", bare > 0 ? guarded / bare : 0.0);
}

int Report(Reporter& reporter) {
  Json line;
  line.Set("question", "what the plugin boundary costs");
  line.Set("empty", Pair(reporter, "empty")).Set("empty_reach_ns", 100);
#ifdef A4C_MEMORY_STORE
  line.Set("get", Pair(reporter, "get")).Set("get_reach_ratio", 1.2);
#endif
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  std::vector<char*> arguments(argv, argv + argc);
  std::string repetitions = "--benchmark_repetitions=9";
  std::string interleaving = "--benchmark_enable_random_interleaving=true";
  std::string time = "--benchmark_min_time=0.05";
  arguments.insert(arguments.begin() + 1, {repetitions.data(), interleaving.data(), time.data()});
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;

  const auto empty = NewEmptyStore();
  const auto empty_guarded = Guarded(A4C_EMPTY_STORE);
  benchmark::RegisterBenchmark("empty/bare", [&](auto& state) { EmptyCall(state, *empty); });
  benchmark::RegisterBenchmark("empty/guarded",
                               [&](auto& state) { EmptyCall(state, *empty_guarded); });
#ifdef A4C_MEMORY_STORE
  const auto memory = a4c::NewMemoryStore(TheRuntime());
  const auto memory_guarded = Guarded(A4C_MEMORY_STORE);
  benchmark::RegisterBenchmark("get/bare", [&](auto& state) { GetOfOne(state, *memory); });
  benchmark::RegisterBenchmark("get/guarded",
                               [&](auto& state) { GetOfOne(state, *memory_guarded); });
#endif
  Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return Report(reporter);
}
