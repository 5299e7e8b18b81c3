#include "tests/simulation/mutant.h"

#include <utility>

#include "mutant_names.h"

namespace a4c::simulation {
namespace {

std::string& Selected() {
  static std::string selected;
  return selected;
}

}  // namespace

bool Mutant(std::string_view name) {
  return Selected() == name;
}

void SelectMutant(std::string name) {
  Selected() = std::move(name);
}

std::vector<std::string> MutantNames() {
  return {kMutantNames.begin(), kMutantNames.end()};
}

}  // namespace a4c::simulation
