// --state, --type and --label of lists of jobs: what is asked most, without the query language.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace a4c_cli {

struct Narrowing {
  std::vector<std::string> states;
  std::vector<std::string> types;
  std::vector<std::string> labels;
};

void AddNarrowing(CLI::App& leaf, Narrowing& narrowing);

// As the `filter` of a search: the query stays as it was written, and so do the columns in its
// errors. Empty: it narrows nothing.
std::string FilterOf(const Narrowing& narrowing);

}  // namespace a4c_cli
