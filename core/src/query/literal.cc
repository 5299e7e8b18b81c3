#include "query/literal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>

#include "a4c/time_period.h"
#include "query/date_math.h"
#include "query/pattern.h"

namespace a4c {
namespace {

template <typename Number>
std::optional<Number> ParseWhole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string Shown(const Literal& literal) {
  constexpr size_t kShown = 40;
  return literal.text.size() > kShown ? "this" : "\"" + literal.text + "\"";
}

Error NotA(const std::string& path, const Literal& literal, const char* type, std::string hint) {
  return Error(Code::kInvalid,
               Shown(literal) + " is not " + type + ", which \"" + path + "\" holds",
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

Result<Query> TimeLeaf(const std::string& path, Comparison comparison, const Literal& literal,
                       int64_t now_ms) {
  if (IsDateMath(literal.text)) {
    const auto period = ParseDateMath(literal.text, now_ms);
    if (period) return ComparePeriod(path, comparison, *period);
    return Error(Code::kInvalid, Shown(literal) + " is " + period.error().message(),
                 period.error().hint());
  }
  if (const auto period = ParseTimePeriod(literal.text)) {
    return ComparePeriod(path, comparison, *period);
  }
  if (const auto ms = ParseWhole<int64_t>(literal.text)) return Compare(path, comparison, *ms);
  return NotA(path, literal, "a time",
              "write 2026-11-01, \"2026-11-01T10:00:00Z\", now-1h or milliseconds");
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

Error NoOrder(const std::string& path) {
  return Error(Code::kInvalid, "\"" + path + "\" is a text and has no order",
               "write " + path + ":word or " + path + ":\"some words\"");
}

bool IsLoneStar(const Literal& literal) {
  return literal.text.empty() && !literal.stars.empty();
}

// "connection refused" as one value, with one space between the words.
Literal Joined(std::span<const Literal> literals) {
  Literal joined = literals[0];
  for (const Literal& next : literals.subspan(1)) {
    joined.text += ' ';
    for (const size_t star : next.stars) joined.stars.push_back(joined.text.size() + star);
    joined.text += next.text;
  }
  return joined;
}

Result<Query> StarLeaf(const std::string& path, FieldType type, Comparison comparison,
                       const Literal& literal) {
  if (comparison != Comparison::kEquals) return Error(Code::kInvalid, "a * cannot be compared");
  if (IsLoneStar(literal)) return Leaf(Query::Node::kExists, path);
  if (type == FieldType::kKeyword || type == FieldType::kMap) {
    return PatternLeaf(path, type, PiecesOf(literal.text, literal.stars));
  }
  return Error(Code::kInvalid, "only keywords and texts are searched by their parts",
               "write " + path + ":* for \"is there\", or leave the * out");
}

// Of a field that is no text.
Result<Query> ValueLeaf(const std::string& path, FieldType type, Comparison comparison,
                        const Literal& literal, int64_t now_ms) {
  if (!literal.stars.empty()) return StarLeaf(path, type, comparison, literal);
  switch (type) {
    case FieldType::kKeyword:
    case FieldType::kMap:
      return Compare(path, comparison, literal.text);
    case FieldType::kTime:
      return TimeLeaf(path, comparison, literal, now_ms);
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
    case FieldType::kText:
      break;
  }
  return Error(Code::kInternal, "a field type without literals");
}

}  // namespace

Result<Query> TextLeafOf(const std::string& path, std::span<const Literal> literals) {
  Query any{.node = Query::Node::kOr};
  Query words = Leaf(literals[0].quoted ? Query::Node::kPhrase : Query::Node::kWords, path);
  for (const Literal& literal : literals) {
    if (literal.stars.empty()) {
      for (std::string& word : Words(literal.text)) words.words.push_back(std::move(word));
    } else if (IsLoneStar(literal)) {
      return Error(Code::kInvalid, "a * by itself among words", "leave it out, or write it alone");
    } else {
      A4C_TRY(std::vector<Query> patterns,
              TextPatternLeaves(path, PiecesOf(literal.text, literal.stars)));
      std::ranges::move(patterns, std::back_inserter(any.children));
    }
  }
  if (any.children.empty()) return words;
  if (!words.words.empty()) any.children.insert(any.children.begin(), std::move(words));
  return any.children.size() == 1 ? std::move(any.children[0]) : std::move(any);
}

Result<Query> LeafOf(const std::string& path, FieldType type, Comparison comparison,
                     std::span<const Literal> literals, int64_t now_ms) {
  if (type != FieldType::kText) return ValueLeaf(path, type, comparison, Joined(literals), now_ms);
  if (comparison != Comparison::kEquals) return NoOrder(path);
  const bool exists = literals.size() == 1 && IsLoneStar(literals[0]);
  return exists ? Leaf(Query::Node::kExists, path) : TextLeafOf(path, literals);
}

}  // namespace a4c
