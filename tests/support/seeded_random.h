// SeededRandom: the same numbers for the same seed, on every machine. For tests alone: it is no
// source of secrets. [any thread]; with several threads, who gets which number is up to them.
#pragma once

#include <atomic>
#include <cstdint>

#include "a4c/clock.h"

namespace a4c::testing {

// SplitMix64: one addition of state and a mix, so that an atomic is all that it needs.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() override {
    uint64_t bits = state_.fetch_add(kStep, std::memory_order_relaxed) + kStep;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
    return bits ^ (bits >> 31);
  }

 private:
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15ULL;
  std::atomic<uint64_t> state_;
};

// From 0 to bound - 1. The bias of the remainder is below bound / 2^64.
inline uint64_t Below(Random& random, uint64_t bound) {
  return random.Next() % bound;
}

}  // namespace a4c::testing
