// How a command line is used, and what is wrong with one. Shared by a4c and a4cd.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace a4c::usage {

inline constexpr int kWrongUse = 2;

// What the parser could make nothing of, and what was probably meant.
struct Misuse {
  std::string what;
  std::string hint;
  std::string help = {};  // for people in the place of both: of a group without a command
};
// Says it on standard error.
void SayMisuse(const Misuse& misuse);

// Prints the help that was asked for, or hands on what is wrong; the exit code.
using TellMisuse = std::function<void(const Misuse&)>;
int Explain(const CLI::App& root, const CLI::ParseError& error, const TellMisuse& tell = SayMisuse);

// The names of a group's commands, and of the options of a command with those of the groups above
// it, which may stand anywhere.
std::vector<std::string> CommandsOf(const CLI::App& app);
std::vector<std::string> OptionsOf(const CLI::App& app);
// The values that such an option may have, none if they cannot be listed. Nothing: it takes no
// value, or there is no such option.
std::optional<std::vector<std::string>> ValuesOf(const CLI::App& app, const std::string& option);

// The command that words lead to, as far as they name one, and what was given to it in its places.
struct Place {
  const CLI::App* app;
  std::vector<std::string> given = {};
  // What the next word would be: the name of its positional; "" if there is none.
  std::string Next() const;
};
Place PlaceOf(const CLI::App& root, const std::vector<std::string>& words);

// Where `--` has to be put so that a command which the words name without it (the positional
// "command" of a leaf) has all the words behind its first, also those that look like options.
// Nothing: there is none, or it stands behind `--`.
std::optional<size_t> BeginOfCommand(const CLI::App& root, const std::vector<std::string>& words);

// Prints the help of the command of these names, or hands on that there is none. The exit code.
int Help(const CLI::App& root, const std::vector<std::string>& names,
         const TellMisuse& tell = SayMisuse);

}  // namespace a4c::usage
