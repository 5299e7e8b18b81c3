// How the command line is used, and what is wrong with one.
#pragma once

#include <CLI/CLI.hpp>

#include "apps/a4c/session.h"

namespace a4c_cli {

// Prints the help that was asked for, or, to standard error, what the parser could make nothing of
// and what was probably meant; a group of commands alone gets its help. The exit code.
int ExplainUsage(const CLI::App& root, const CLI::ParseError& error);

// `a4c help`, also on a command or on the exit codes.
void AddHelp(CLI::App& root, Session& session);

}  // namespace a4c_cli
