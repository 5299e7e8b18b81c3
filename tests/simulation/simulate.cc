// a4c-simulate: runs seeds, replays one, hunts mutants.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/simulation/hunt.h"
#include "tests/simulation/mutant.h"
#include "tests/simulation/world.h"

namespace {

using a4c::simulation::Hunt;
using a4c::simulation::Kill;
using a4c::simulation::Outcome;
using a4c::simulation::RunOptions;

constexpr std::string_view kUsage =
    "Usage: a4c-simulate [--seed N] [--count M] [--every K] [--ground NAME] [--mutant NAME]\n"
    "                    [--trace] [--history FILE] [--keep-going]\n"
    "       a4c-simulate --hunt NAME|all    seeds until each of these mutants is noticed, three "
    "times\n"
    "       a4c-simulate --list-mutants | --list-grounds\n"
    "Prints a line per failed seed; exit code 1 if any failed. --trace prints every decision,\n"
    "--history writes what clients asked for and were told, as JSON lines.\n";

struct Arguments {
  uint64_t seed = 1;
  uint64_t count = 1;
  uint64_t every = 1;
  bool keep_going = false;
  std::string hunt;
  std::string history;
  RunOptions run;
};

int Run(const Arguments& arguments) {
  int failed = 0;
  int64_t steps = 0;
  uint64_t hash = 0;
  for (uint64_t i = 0; i < arguments.count; ++i) {
    const Outcome outcome =
        a4c::simulation::RunSeed(arguments.seed + i * arguments.every, arguments.run);
    steps += outcome.steps;
    hash = hash * 31 + outcome.trace_hash;
    if (outcome.failure.empty()) continue;
    ++failed;
    std::printf("seed %llu (%s): %s\n", static_cast<unsigned long long>(outcome.seed),
                outcome.scenario.c_str(), outcome.failure.c_str());
    std::fflush(stdout);
    if (!arguments.keep_going) break;
  }
  std::printf("%llu seeds, %d failed, %lld steps, trace %016llx\n",
              static_cast<unsigned long long>(arguments.count), failed,
              static_cast<long long>(steps), static_cast<unsigned long long>(hash));
  return failed == 0 ? 0 : 1;
}

int HuntAll(const std::string& name) {
  constexpr int kSeedsMax = 500;
  bool survived = false;
  for (const Hunt& hunt : a4c::simulation::Hunts()) {
    if (name != "all" && name != hunt.mutant) continue;
    std::array<Kill, 3> kills;
    for (size_t i = 0; i < kills.size(); ++i) {
      kills[i] = HuntFrom(hunt, 10'000 * (i + 1), kSeedsMax);
      survived = survived || !kills[i].killed();
    }
    std::ranges::sort(kills, {}, &Kill::seeds);
    std::printf("%-30s %-9s median %3d, e.g. seed %llu: %s\n", std::string(hunt.mutant).c_str(),
                std::string(hunt.ground).c_str(), kills[1].seeds,
                static_cast<unsigned long long>(kills[0].outcome.seed),
                kills[0].outcome.failure.c_str());
    std::fflush(stdout);
  }
  return survived ? 1 : 0;
}

int RunWithHistory(Arguments& arguments) {
  if (arguments.history.empty()) return Run(arguments);
  arguments.run.history = std::fopen(arguments.history.c_str(), "w");
  if (arguments.run.history == nullptr) {
    std::perror(arguments.history.c_str());
    return 2;
  }
  const int code = Run(arguments);
  if (std::fclose(arguments.run.history) == 0) return code;
  std::perror(arguments.history.c_str());
  return 2;
}

template <typename Names>
int List(const Names& names) {
  for (const auto& name : names) std::printf("%s\n", std::string(name).c_str());
  return 0;
}

// False: not an option.
bool Read(std::string_view name, const char* value, Arguments& arguments, int& used) {
  used = 2;
  if (name == "--seed") {
    arguments.seed = std::strtoull(value, nullptr, 10);
  } else if (name == "--count") {
    arguments.count = std::strtoull(value, nullptr, 10);
  } else if (name == "--every") {
    arguments.every = std::strtoull(value, nullptr, 10);
  } else if (name == "--ground") {
    arguments.run.ground = value;
  } else if (name == "--mutant") {
    a4c::simulation::SelectMutant(value);
  } else if (name == "--history") {
    arguments.history = value;
  } else if (name == "--hunt") {
    arguments.hunt = value;
  } else {
    used = 1;
    if (name == "--trace") {
      arguments.run.trace = true;
    } else if (name == "--keep-going") {
      arguments.keep_going = true;
    } else {
      return false;
    }
  }
  return true;
}

bool IsKnown(const Arguments& arguments) {
  const auto& grounds = a4c::simulation::kGrounds;
  const std::string& ground = arguments.run.ground;
  return ground.empty() || std::ranges::find(grounds, ground) != grounds.end();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1, used = 0; i < argc; i += used) {
    const std::string_view name = argv[i];
    if (name == "--list-mutants") return List(a4c::simulation::MutantNames());
    if (name == "--list-grounds") return List(a4c::simulation::kGrounds);
    if (!Read(name, i + 1 < argc ? argv[i + 1] : "", arguments, used) || !IsKnown(arguments)) {
      std::fputs(kUsage.data(), stderr);
      return 2;
    }
  }
  return arguments.hunt.empty() ? RunWithHistory(arguments) : HuntAll(arguments.hunt);
}
