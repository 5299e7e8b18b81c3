#include <algorithm>

#include "a4c/search_plan.h"

namespace a4c {
namespace {

using Node = Query::Node;

bool Absent(const Scalar& value) {
  return std::holds_alternative<std::monostate>(value);
}

bool InRange(const Query& query, const Scalar& value) {
  if (!Absent(query.lower)) {
    if (query.lower_inclusive ? value < query.lower : value <= query.lower) return false;
  }
  if (!Absent(query.upper)) {
    if (query.upper_inclusive ? value > query.upper : value >= query.upper) return false;
  }
  return true;
}

bool HasPhrase(const std::vector<std::string>& words, const std::vector<std::string>& phrase) {
  return !std::ranges::search(words, phrase).empty();
}

bool HasAny(const std::vector<std::string>& words, const std::vector<std::string>& any) {
  return std::ranges::any_of(
      any, [&](const std::string& word) { return std::ranges::find(words, word) != words.end(); });
}

bool LeafMatches(const Query& query, const SearchField& field) {
  const std::vector<std::string>& parts =
      field.type == FieldType::kText ? field.words : field.keywords;
  const auto any_keyword = [&](auto&& fits) { return std::ranges::any_of(field.keywords, fits); };
  switch (query.node) {
    case Node::kExists:
      return true;
    case Node::kEquals:
      if (Absent(field.number))
        return any_keyword([&](const auto& k) { return Scalar(k) == query.value; });
      return field.number == query.value;
    case Node::kPrefix:
      return std::ranges::any_of(parts, [&](const std::string& part) {
        return part.starts_with(std::get<std::string>(query.value));
      });
    case Node::kWildcard:
      return std::ranges::any_of(
          parts, [&](const std::string& part) { return FitsPattern(query.pieces, part); });
    case Node::kRange:
      if (Absent(field.number))
        return any_keyword([&](const auto& k) { return InRange(query, k); });
      return InRange(query, field.number);
    case Node::kPhrase:
      return HasPhrase(field.words, query.words);
    case Node::kWords:
      return HasAny(field.words, query.words);
    default:
      return false;
  }
}

}  // namespace

bool MatchesResolved(const Query& resolved, const SearchDocument& document) {
  const auto matches = [&](const Query& child) { return MatchesResolved(child, document); };
  switch (resolved.node) {
    case Node::kAll:
      return true;
    case Node::kAnd:
      return std::ranges::all_of(resolved.children, matches);
    case Node::kOr:
      return std::ranges::any_of(resolved.children, matches);
    case Node::kNot:
      return !matches(resolved.children[0]);
    default:
      break;
  }
  const SearchField* field = document.Find(resolved.field);
  return field != nullptr && LeafMatches(resolved, *field);
}

bool Matches(const Query& query, const Kind& kind, std::string_view body) {
  const auto resolved = ResolveQuery(query, kind);
  if (!resolved) return false;
  const auto document = MakeSearchDocument(
      kind, {.ref = {kind.name, {"", "any"}}, .rev = 1, .body = std::string(body)});
  return document && MatchesResolved(*resolved, *document);
}

}  // namespace a4c
