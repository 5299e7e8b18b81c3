#include "apps/a4cd/api/query_rules.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "a4c/nearest.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Result;

constexpr std::string_view kFlags[] = {"follow", "highlight", "lost", "require_fresh",
                                       "with_volumes"};
constexpr size_t kShownBytes = 100;

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

Error Unknown(const Route& route, const std::string& name) {
  const std::vector<std::string_view> known = Words(route.query);
  const std::string meant = a4c::Nearest(name, known);
  std::string hint;
  for (const std::string_view one : known) {
    hint.append(hint.empty() ? "there are: " : ", ").append(one);
  }
  if (known.empty()) hint = "this request has none";
  if (!meant.empty()) hint = "did you mean " + meant + "?";
  return Error(Code::kInvalid,
               "there is no query parameter " + name.substr(0, kShownBytes) + " here", hint);
}

}  // namespace

Result<void> CheckQuery(const Route& route, const Request& request) {
  if (route.scope == nullptr) return {};
  const std::vector<std::string_view> known = Words(route.query);
  for (auto one = request.query.begin(); one != request.query.end(); ++one) {
    const std::string& name = one->first;
    if (std::ranges::find(known, name) == known.end()) return Unknown(route, name);
    const bool is_there_twice = std::any_of(request.query.begin(), one,
                                            [&](const auto& other) { return other.first == name; });
    if (is_there_twice && name != "token") {
      return Error(Code::kInvalid, "the query parameter " + name + " is there twice");
    }
    const bool is_flag = std::ranges::find(kFlags, name) != std::end(kFlags);
    const std::string& value = one->second;
    if (is_flag && !value.empty() && value != "true" && value != "false") {
      return Error(Code::kInvalid, name + " is true or false");
    }
  }
  return {};
}

bool Flag(const Request& request, std::string_view name) {
  return request.HasQuery(name) && request.Query(name) != "false";
}

}  // namespace a4cd
