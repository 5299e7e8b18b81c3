// Mutants: faults put on purpose into copies of core/src/collection (see mutants.cmake), to learn
// whether the simulation notices. Product code knows nothing of them. One is on at a time, or none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace a4c::simulation {

// Whether the mutant of that name is on.
bool Mutant(std::string_view name);
// Empty: none. [while no simulation runs]
void SelectMutant(std::string name);
// All that were put in, sorted.
std::vector<std::string> MutantNames();

}  // namespace a4c::simulation
