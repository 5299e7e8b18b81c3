#include "apps/a4c/ignore_rules.h"

#include <algorithm>
#include <span>

namespace a4c_cli {
namespace {

using Names = std::span<const std::string>;

std::vector<std::string> NamesIn(std::string_view path) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    if (name == ".." && !names.empty()) {
      names.pop_back();
    } else if (!name.empty() && name != "." && name != "..") {
      names.emplace_back(name);
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return names;
}

// Where the set that begins at pattern[at] ends; npos: nowhere.
size_t EndOfSet(std::string_view pattern, size_t at) {
  size_t end = at + 1;
  if (end < pattern.size() && pattern[end] == '^') ++end;
  if (end < pattern.size() && pattern[end] == ']') ++end;
  return pattern.find(']', end);
}

bool InSet(std::string_view set, char c) {
  const bool inverted = set.starts_with('^');
  if (inverted) set.remove_prefix(1);
  bool found = false;
  for (size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found = found || (set[i] <= c && c <= set[i + 2]);
      i += 2;
    } else {
      found = found || set[i] == c;
    }
  }
  return found != inverted;
}

// One character of the name against what stands at pattern[at]; moves `at` behind it.
bool MatchesOne(std::string_view pattern, size_t& at, char c) {
  if (pattern[at] == '[') {
    const size_t end = EndOfSet(pattern, at);
    const bool found = InSet(pattern.substr(at + 1, end - at - 1), c);
    at = end + 1;
    return found;
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  const bool same = pattern[at] == '?' || pattern[at] == c;
  ++at;
  return same;
}

// Going back to the last "*" alone is enough, and never takes more than product of the lengths.
bool MatchesName(std::string_view pattern, std::string_view name) {
  size_t at = 0;
  size_t read = 0;
  size_t star = std::string_view::npos;
  size_t star_read = 0;
  while (read < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_read = read;
      continue;
    }
    size_t next = at;
    if (at < pattern.size() && MatchesOne(pattern, next, name[read])) {
      at = next;
      ++read;
      continue;
    }
    if (star == std::string_view::npos) return false;
    at = star + 1;
    read = ++star_read;
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

// The pattern matches the path or a directory above it. Of all states only the pattern's places are
// kept, so that many "**" cost no more than few.
bool MatchesPath(Names pattern, Names path) {
  std::vector<bool> at(pattern.size() + 1, false);
  at[0] = true;
  for (size_t read = 0;; ++read) {
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (at[i] && pattern[i] == "**") at[i + 1] = true;
    }
    if (read > 0 && at[pattern.size()]) return true;
    if (read == path.size()) return false;
    std::vector<bool> next(pattern.size() + 1, false);
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (!at[i]) continue;
      if (pattern[i] == "**") {
        next[i] = true;
      } else if (MatchesName(pattern[i], path[read])) {
        next[i + 1] = true;
      }
    }
    at = std::move(next);
  }
}

std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

bool IsWhole(std::string_view name) {
  for (size_t at = 0; at < name.size(); ++at) {
    if (name[at] == '\\') {
      ++at;
    } else if (name[at] == '[') {
      at = EndOfSet(name, at);
      if (at == std::string_view::npos) return false;
    }
  }
  return true;
}

}  // namespace

a4c::Result<IgnoreRules> IgnoreRules::Parse(std::string_view text) {
  IgnoreRules rules;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    Rule rule{.names = {}, .taken_back = line.front() == '!'};
    if (rule.taken_back) line = Trimmed(line.substr(1));
    rule.names = NamesIn(line);
    if (rule.names.empty()) continue;
    if (!std::ranges::all_of(rule.names, IsWhole)) {
      return a4c::Error(a4c::Code::kInvalid, ".dockerignore: line " + std::to_string(number) +
                                                 ": a \"[\" without its \"]\"");
    }
    rules.takes_back_ = rules.takes_back_ || rule.taken_back;
    rules.rules_.push_back(std::move(rule));
  }
  return rules;
}

bool IgnoreRules::Ignores(std::string_view path) const {
  const std::vector<std::string> names = NamesIn(path);
  const auto last = std::ranges::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& rule) {
    return MatchesPath(rule.names, names);
  });
  return last != rules_.rend() && !last->taken_back;
}

}  // namespace a4c_cli
