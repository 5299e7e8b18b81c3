// What cannot be undone is asked about where somebody sits at a terminal; scripts mean what they
// say.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/a4c/session.h"

namespace a4c_cli {

// -y, --yes.
void AddYes(CLI::App& leaf, bool& is_sure);

// what: "delete dev-1 and what it has written". It is asked with the API where it is done. False:
// no yes came, and exit_code is set.
bool IsMeant(Session& session, bool is_sure, const std::string& what);

// "a", "a and b", "a, b and c", "a, b, c and 4 more".
std::string Enumerated(const std::vector<std::string>& names);

}  // namespace a4c_cli
