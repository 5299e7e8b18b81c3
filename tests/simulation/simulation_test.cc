// Seeds of the simulation: each runs whole worlds and prints itself if a promise was broken.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "tests/simulation/mutant.h"
#include "tests/simulation/world.h"

namespace a4c::simulation {
namespace {

constexpr uint64_t kSeeds = 500;
constexpr uint64_t kBlocks = 5;
constexpr uint64_t kSeedsOfBlock = kSeeds / kBlocks;

std::string Replay(uint64_t seed) {
  return "replay it with: a4c-simulate --trace --seed " + std::to_string(seed);
}

void ExpectKept(const Outcome& outcome) {
  EXPECT_EQ(outcome.failure, "") << "seed " << outcome.seed << " (" << outcome.scenario << "); "
                                 << Replay(outcome.seed);
}

class Seeds : public ::testing::TestWithParam<uint64_t> {};

TEST_P(Seeds, KeepEveryPromise) {
  const uint64_t first = GetParam() * kSeedsOfBlock + 1;
  for (uint64_t seed = first; seed < first + kSeedsOfBlock; ++seed) {
    const Outcome outcome = RunSeed(seed);
    ExpectKept(outcome);
    if (seed % 20 == 0) {
      EXPECT_EQ(RunSeed(seed).trace_hash, outcome.trace_hash)
          << "seed " << seed << " is not one run";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Block, Seeds, ::testing::Range(uint64_t{0}, kBlocks));

std::string OutputOf(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 256> buffer{};
  while (pipe && fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    output += buffer.data();
  }
  return output;
}

TEST(Simulation, IsTheSameInTwoProcesses) {
  const std::string command = std::string(A4C_SIMULATE) + " --seed 600 --count 10 --keep-going";
  const std::string once = OutputOf(command);
  EXPECT_NE(once.find("trace "), std::string::npos) << once;
  EXPECT_EQ(OutputOf(command), once);
}

TEST(Simulation, DiffersFromSeedToSeed) {
  EXPECT_NE(RunSeed(5).trace_hash, RunSeed(15).trace_hash);
}

// Each of these found a bug once: docs/simulation.md tells which.
struct Regression {
  const char* name;
  uint64_t seed;
};

void PrintTo(const Regression& regression, std::ostream* out) {
  *out << regression.name;
}

class Regressions : public ::testing::TestWithParam<Regression> {};

TEST_P(Regressions, StayFixed) {
  ExpectKept(RunSeed(GetParam().seed));
}

INSTANTIATE_TEST_SUITE_P(Named, Regressions,
                         ::testing::Values(Regression{"AReplayThatCannotReadTheRowIsNotARefusal",
                                                      138},
                                           Regression{"WhatAnotherHasIndexedByNowIsNotHealed", 436},
                                           Regression{"ARowAheadOfItsRecordIsConfirmed", 10'031}),
                         [](const auto& test) { return std::string(test.param.name); });

class Mutants : public ::testing::TestWithParam<std::string> {
 protected:
  void TearDown() override { SelectMutant(""); }
};

// Seeds until the first that notices, from each of three places; the middle number is printed.
TEST_P(Mutants, AreKilled) {
  constexpr int kSeedsMax = 500;
  SelectMutant(GetParam());
  std::array<int, 3> tried{};
  for (size_t hunt = 0; hunt < tried.size(); ++hunt) {
    std::string failure;
    while (failure.empty() && tried[hunt] < kSeedsMax) {
      failure = RunSeed(10'000 * (hunt + 1) + static_cast<uint64_t>(tried[hunt]++)).failure;
    }
    EXPECT_NE(failure, "") << "survived " << kSeedsMax << " seeds";
  }
  std::ranges::sort(tried);
  std::printf("mutant %s: killed after a median of %d seeds\n", GetParam().c_str(), tried[1]);
  RecordProperty("median_seeds", tried[1]);
}

INSTANTIATE_TEST_SUITE_P(Collection, Mutants, ::testing::ValuesIn(MutantNames()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace a4c::simulation
