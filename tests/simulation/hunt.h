// Where each mutant is hunted: the ground on which it shows soonest, and a seed of that ground that
// has killed it. Code changes move seeds, so a hunt goes on for some more if that one does not.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/world.h"

namespace a4c::simulation {

struct Hunt {
  std::string_view mutant;
  std::string_view ground;  // see kGrounds; empty: all that there is
  uint64_t seed = 1;

  friend std::ostream& operator<<(std::ostream& out, const Hunt& hunt) {
    return out << hunt.mutant;
  }
};
// One for each mutant, sorted by name.
const std::vector<Hunt>& Hunts();

struct Kill {
  int seeds = 0;  // tried
  Outcome outcome = {};
  bool killed() const { return !outcome.failure.empty(); }
};
// Runs seeds from `first` on, at most seeds_max, with the mutant in, until one notices.
Kill HuntFrom(const Hunt& hunt, uint64_t first, int seeds_max);

}  // namespace a4c::simulation
