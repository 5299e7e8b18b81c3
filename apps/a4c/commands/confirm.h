// What cannot be undone is asked about where somebody sits at a terminal; scripts mean what they
// say.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/a4c/session.h"

namespace a4c_cli {

// -y, --yes.
CLI::Option* AddYes(CLI::App& leaf, bool& is_sure);

// what: "delete dev-1 and what it has written". It is asked with the API where it is done. False:
// no yes came, and exit_code is set.
bool IsMeant(Session& session, bool is_sure, const std::string& what);

// The same of what reaches beyond one's own: without a terminal it has to be said by --yes.
// question: ends without the choice; what and hint are for who cannot be asked.
bool IsConfirmed(Session& session, bool is_sure, const std::string& question,
                 const std::string& what, const std::string& hint);

// "a", "a and b", "a, b and c", "a, b, c and 4 more".
std::string Enumerated(const std::vector<std::string>& names);

}  // namespace a4c_cli
