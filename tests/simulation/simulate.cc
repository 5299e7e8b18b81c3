// a4c-simulate: runs seeds, replays one, hunts a mutant.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/simulation/mutant.h"
#include "tests/simulation/world.h"

namespace {

constexpr std::string_view kUsage =
    "Usage: a4c-simulate [--seed N] [--count M] [--mutant NAME] [--trace] [--keep-going]\n"
    "       a4c-simulate --list-mutants\n"
    "Prints a line per failed seed; exit code 1 if any failed. --trace prints every decision.\n";

struct Arguments {
  uint64_t seed = 1;
  uint64_t count = 1;
  bool trace = false;
  bool keep_going = false;
};

int Run(const Arguments& arguments) {
  int failed = 0;
  int64_t steps = 0;
  uint64_t hash = 0;
  for (uint64_t seed = arguments.seed; seed < arguments.seed + arguments.count; ++seed) {
    const auto outcome = a4c::simulation::RunSeed(seed, arguments.trace);
    steps += outcome.steps;
    hash = hash * 31 + outcome.trace_hash;
    if (outcome.failure.empty()) continue;
    ++failed;
    std::printf("seed %llu (%s): %s\n", static_cast<unsigned long long>(seed),
                outcome.scenario.c_str(), outcome.failure.c_str());
    std::fflush(stdout);
    if (!arguments.keep_going) break;
  }
  std::printf("%llu seeds, %d failed, %lld steps, trace %016llx\n",
              static_cast<unsigned long long>(arguments.count), failed,
              static_cast<long long>(steps), static_cast<unsigned long long>(hash));
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--seed") {
      arguments.seed = std::strtoull(value, nullptr, 10), ++i;
    } else if (name == "--count") {
      arguments.count = std::strtoull(value, nullptr, 10), ++i;
    } else if (name == "--mutant") {
      a4c::simulation::SelectMutant(value), ++i;
    } else if (name == "--trace") {
      arguments.trace = true;
    } else if (name == "--keep-going") {
      arguments.keep_going = true;
    } else if (name == "--list-mutants") {
      for (const std::string& mutant : a4c::simulation::MutantNames()) std::puts(mutant.c_str());
      return 0;
    } else {
      std::fputs(kUsage.data(), stderr);
      return 2;
    }
  }
  return Run(arguments);
}
