#include "apps/a4c/commands/confirm.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace a4c_cli {
namespace {

constexpr size_t kNamed = 3;

// False: exit_code is set.
bool SaysYes(Session& session, const std::string& question) {
  std::fprintf(stderr, "%s [yes/no] ", HarmlessText(question).c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes" || answer == "y") return true;
  session.exit_code =
      session.Complain(a4c::Error(a4c::Code::kDenied, "nothing was done", "--yes does not ask"));
  return false;
}

}  // namespace

CLI::Option* AddYes(CLI::App& leaf, bool& is_sure) {
  return leaf.add_flag("-y,--yes", is_sure, "do not ask at a terminal");
}

bool IsMeant(Session& session, bool is_sure, const std::string& what) {
  if (is_sure || isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) return true;
  const auto& endpoint = session.Resolved();
  const std::string where = endpoint ? " at " + endpoint->url : "";
  return SaysYes(session, what + where + "?");
}

bool IsConfirmed(Session& session, bool is_sure, const std::string& question,
                 const std::string& what, const std::string& hint) {
  if (is_sure) return true;
  if (isatty(STDIN_FILENO) != 0) return SaysYes(session, question);
  session.exit_code = session.Complain(
      a4c::Error(a4c::Code::kInvalid, what + ", and there is nobody at a terminal to ask", hint));
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
