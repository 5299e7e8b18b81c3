#include "apps/a4c/commands/confirm.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace a4c_cli {
namespace {

constexpr size_t kNamed = 3;

}  // namespace

void AddYes(CLI::App& leaf, bool& is_sure) {
  leaf.add_flag("-y,--yes", is_sure, "do not ask at a terminal");
}

bool IsMeant(Session& session, bool is_sure, const std::string& what) {
  if (is_sure || isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) return true;
  const auto& endpoint = session.Resolved();
  const std::string where = endpoint ? " at " + endpoint->url : "";
  std::fprintf(stderr, "%s%s? [yes/no] ", what.c_str(), where.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes" || answer == "y") return true;
  session.exit_code =
      session.Complain(a4c::Error(a4c::Code::kDenied, "nothing was done", "--yes does not ask"));
  return false;
}

std::string Enumerated(const std::vector<std::string>& names) {
  std::string text;
  const size_t shown = names.size() <= kNamed + 1 ? names.size() : kNamed;
  for (size_t i = 0; i < shown; ++i) {
    const bool is_last = i + 1 == names.size();
    text += (i == 0 ? "" : is_last ? " and " : ", ") + names[i];
  }
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

}  // namespace a4c_cli
