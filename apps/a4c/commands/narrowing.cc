#include "apps/a4c/commands/narrowing.h"

#include <algorithm>

namespace a4c_cli {
namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

// "state:(failed or canceled)" of a field and the values that it may have.
std::string OneOf(const std::string& field, const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : " or ") + Quoted(value);
  return field + ":(" + text + ")";
}

}  // namespace

std::string FilterOf(const Narrowing& narrowing) {
  std::vector<std::string> all;
  if (!narrowing.states.empty()) all.push_back(OneOf("state", narrowing.states));
  if (!narrowing.types.empty()) all.push_back(OneOf("type", narrowing.types));
  for (const std::string& label : narrowing.labels) {
    const size_t equals = std::min(label.find('='), label.size());
    const std::string field = "labels." + label.substr(0, equals);
    all.push_back(equals == label.size() ? field + ":*" : OneOf(field, {label.substr(equals + 1)}));
  }
  std::string filter;
  for (const std::string& one : all) filter += (filter.empty() ? "" : " and ") + one;
  return filter;
}

void AddNarrowing(CLI::App& leaf, Narrowing& narrowing) {
  leaf.add_option("--state", narrowing.states, "only in this state; twice: in either")
      ->check(CLI::IsMember({"pending", "running", "succeeded", "failed", "canceled"}))
      ->allow_extra_args(false);
  leaf.add_option("--type", narrowing.types, "only of this type; twice: of either")
      ->allow_extra_args(false);
  leaf.add_option("--label", narrowing.labels,
                  "only with team=infra, or with any team; each must hold")
      ->allow_extra_args(false);
}

}  // namespace a4c_cli
