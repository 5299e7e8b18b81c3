// Which mutant is on in a process of its own: the one that its environment names.
#include <cstdlib>

#include "tests/simulation/mutant.h"

namespace a4c::simulation {

bool Mutant(std::string_view name) {
  static const char* const kSelected = std::getenv("A4C_MUTANT");
  return kSelected != nullptr && name == kSelected;
}

}  // namespace a4c::simulation
