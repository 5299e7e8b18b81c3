#include "apps/a4cd/api/router.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace a4cd {
namespace {

using Params = std::map<std::string, std::string, std::less<>>;

std::string_view TakeSegment(std::string_view& path) {
  const size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(std::min(end + 1, path.size()));
  return segment;
}

// "{id}:cancel" against "42:cancel".
bool MatchSegment(std::string_view pattern, std::string_view segment, Params& params) {
  if (!pattern.starts_with('{')) return pattern == segment;
  const size_t close = pattern.find('}');
  const std::string_view suffix = pattern.substr(close + 1);
  if (suffix.empty() && segment.find(':') != std::string_view::npos) return false;
  if (!segment.ends_with(suffix) || segment.size() == suffix.size()) return false;
  a4c::Result<std::string> value =
      PercentDecode(segment.substr(0, segment.size() - suffix.size()), false);
  if (!value) return false;
  params[std::string(pattern.substr(1, close - 1))] = *std::move(value);
  return true;
}

std::optional<Params> MatchPath(std::string_view pattern, std::string_view path) {
  Params params;
  while (!pattern.empty() || !path.empty()) {
    if (pattern.empty() || path.empty()) return std::nullopt;
    if (!MatchSegment(TakeSegment(pattern), TakeSegment(path), params)) return std::nullopt;
  }
  return params;
}

}  // namespace

Match MatchRoute(std::span<const Route> routes, std::string_view method, std::string_view path) {
  Match match;
  if (path.ends_with('/') && path.size() > 1) return match;
  for (const Route& route : routes) {
    std::optional<Params> params = MatchPath(route.pattern, path);
    if (!params) continue;
    if (method == route.method || (method == "HEAD" && route.method == std::string_view("GET"))) {
      return {&route, {}, *std::move(params)};
    }
    match.allow += (match.allow.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == std::string_view("GET")) match.allow += ", HEAD";
  }
  return match;
}

}  // namespace a4cd
