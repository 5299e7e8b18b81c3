// a4c host add: enrols servers, one or a file of them. A server is trusted only with a fingerprint
// that was given, or that a person at a terminal has compared and accepted.
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "apps/a4c/session.h"

namespace a4c_cli {

void AddHostAdd(CLI::App& host, Session& session);

const std::vector<Column>& HostColumns();  // host_commands.cc

// What a server is called if nobody says: the name of its machine, or of its directory.
std::string HostIdOf(const std::string& address);

}  // namespace a4c_cli
