// a4c host add: enrols servers, one or a file of them. A server is trusted only with a fingerprint
// that was given, or that a person at a terminal has compared and accepted.
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "apps/a4c/session.h"

namespace a4c_cli {

void AddHostAdd(CLI::App& host, Session& session);

// host_commands.cc
const std::vector<Column>& HostColumns();
// What is wrong with the server, and what to do, to standard error.
void NoteHostWarnings(const Session& session, const a4c::Json& host);

// What a server is called if nobody says: the name of its machine, or of its directory.
std::string HostIdOf(const std::string& address);

}  // namespace a4c_cli
