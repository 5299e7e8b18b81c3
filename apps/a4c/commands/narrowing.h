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

// The query and what narrows it, as one query.
std::string Narrowed(const std::string& query, const Narrowing& narrowing);

}  // namespace a4c_cli
