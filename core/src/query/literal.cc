#include "query/literal.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "query/time_period.h"

namespace a4c {
namespace {

template <typename Number>
std::optional<Number> ParseWhole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error NotA(const std::string& path, const Literal& literal, const char* type, std::string hint) {
  constexpr size_t kShown = 40;
  const std::string shown = literal.text.size() > kShown ? "this" : "\"" + literal.text + "\"";
  return Error(Code::kInvalid, shown + " is not " + type + ", which \"" + path + "\" holds",
               std::move(hint));
}

Query Leaf(Query::Node node, const std::string& path, Scalar value = {}) {
  return Query{.node = node, .field = path, .value = std::move(value)};
}

// Of one exact value.
Query Compare(const std::string& path, Comparison comparison, Scalar value) {
  Query range = Leaf(Query::Node::kRange, path);
  range.lower_inclusive = comparison == Comparison::kGreaterEqual;
  range.upper_inclusive = comparison == Comparison::kLessEqual;
  switch (comparison) {
    case Comparison::kEquals:
      return Leaf(Query::Node::kEquals, path, std::move(value));
    case Comparison::kLess:
    case Comparison::kLessEqual:
      range.upper = std::move(value);
      break;
    case Comparison::kGreater:
    case Comparison::kGreaterEqual:
      range.lower = std::move(value);
      break;
  }
  return range;
}

// Of a period: `>` is after all of it, `<=` up to and with its end.
Query ComparePeriod(const std::string& path, Comparison comparison, const TimePeriod& period) {
  Query range = Leaf(Query::Node::kRange, path);
  const bool from_start =
      comparison == Comparison::kGreaterEqual || comparison == Comparison::kEquals;
  const bool to_end = comparison == Comparison::kLessEqual || comparison == Comparison::kEquals;
  if (from_start) range.lower = period.start_ms;
  if (comparison == Comparison::kGreater) range.lower = period.end_ms;
  if (to_end) range.upper = period.end_ms;
  if (comparison == Comparison::kLess) range.upper = period.start_ms;
  return range;
}

Result<Query> TimeLeaf(const std::string& path, Comparison comparison, const Literal& literal) {
  if (const auto period = ParseTimePeriod(literal.text)) {
    return ComparePeriod(path, comparison, *period);
  }
  if (const auto ms = ParseWhole<int64_t>(literal.text)) return Compare(path, comparison, *ms);
  return NotA(path, literal, "a time",
              "write 2026-11-01, \"2026-11-01T10:00:00Z\" or milliseconds");
}

Result<Query> BoolLeaf(const std::string& path, Comparison comparison, const Literal& literal) {
  if (comparison != Comparison::kEquals) {
    return Error(Code::kInvalid, "\"" + path + "\" is true or false and has no order",
                 "write " + path + ":true");
  }
  if (literal.text != "true" && literal.text != "false") {
    return NotA(path, literal, "true or false", "");
  }
  return Leaf(Query::Node::kEquals, path, literal.text == "true");
}

Result<Query> TextLeaf(const std::string& path, Comparison comparison, const Literal& literal) {
  if (comparison != Comparison::kEquals) {
    return Error(Code::kInvalid, "\"" + path + "\" is a text and has no order",
                 "write " + path + ":word or " + path + ":\"some words\"");
  }
  Query leaf = Leaf(literal.quoted ? Query::Node::kPhrase : Query::Node::kWords, path);
  leaf.words = Words(literal.text);
  return leaf;
}

}  // namespace

Result<Query> LeafOf(const std::string& path, FieldType type, Comparison comparison,
                     const Literal& literal) {
  if (literal.star && literal.text.empty() && comparison == Comparison::kEquals) {
    return Leaf(Query::Node::kExists, path);
  }
  if (literal.star) {
    if (comparison != Comparison::kEquals) return Error(Code::kInvalid, "a * cannot be compared");
    if (type == FieldType::kKeyword || type == FieldType::kMap) {
      return Leaf(Query::Node::kPrefix, path, literal.text);
    }
    return Error(Code::kInvalid, "only keyword fields are searched by their beginning",
                 "write " + path + ":* for \"is there\", or leave the * out");
  }
  switch (type) {
    case FieldType::kKeyword:
    case FieldType::kMap:
      return Compare(path, comparison, literal.text);
    case FieldType::kText:
      return TextLeaf(path, comparison, literal);
    case FieldType::kTime:
      return TimeLeaf(path, comparison, literal);
    case FieldType::kBool:
      return BoolLeaf(path, comparison, literal);
    case FieldType::kLong:
      if (const auto number = ParseWhole<int64_t>(literal.text))
        return Compare(path, comparison, *number);
      return NotA(path, literal, "an integer", "");
    case FieldType::kDouble:
      if (const auto number = ParseWhole<double>(literal.text); number && std::isfinite(*number)) {
        return Compare(path, comparison, *number);
      }
      return NotA(path, literal, "a number", "");
  }
  return Error(Code::kInternal, "a field type without literals");
}

}  // namespace a4c
