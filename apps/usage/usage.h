// How a command line is used, and what is wrong with one. Shared by a4c and a4cd.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace a4c::usage {

inline constexpr int kWrongUse = 2;

// Prints the help that was asked for, or, to standard error, what the parser could make nothing of
// and what was probably meant; a group of commands alone gets its help. The exit code.
int Explain(const CLI::App& root, const CLI::ParseError& error);

// The names of a group's commands, and of the options of a command with those of the groups above
// it, which may stand anywhere.
std::vector<std::string> CommandsOf(const CLI::App& app);
std::vector<std::string> OptionsOf(const CLI::App& app);
// The values that such an option may have, none if they cannot be listed. Nothing: it takes no
// value, or there is no such option.
std::optional<std::vector<std::string>> ValuesOf(const CLI::App& app, const std::string& option);

// Where `--` has to be put so that a command which the words name without it (the positional
// "command" of a leaf) has all the words behind its first, also those that look like options.
// Nothing: there is none, or it stands behind `--`.
std::optional<size_t> BeginOfCommand(const CLI::App& root, const std::vector<std::string>& words);

// Prints the help of the command of these names, or that there is none. The exit code.
int Help(const CLI::App& root, const std::vector<std::string>& names);

}  // namespace a4c::usage
