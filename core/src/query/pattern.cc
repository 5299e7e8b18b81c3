#include "query/pattern.h"

#include <algorithm>

#include "a4c/search_plan.h"
#include "query/words.h"

namespace a4c {
namespace {

constexpr size_t kReadingsMax = 8;

std::string Joined(const std::vector<std::string>& pieces, std::string_view between) {
  std::string joined = pieces[0];
  for (size_t i = 1; i < pieces.size(); ++i) joined.append(between).append(pieces[i]);
  return joined;
}

bool IsOneWord(const std::string& text) {
  const std::vector<std::string> words = Words(text);
  return words.size() == 1 && words[0] == LowerWord(text);
}

// Whether some word could fit: with nothing, a letter or a digit for each star it is one.
bool CanBeOneWord(const std::vector<std::string>& pieces) {
  return std::ranges::any_of(std::initializer_list<const char*>{"", "a", "0"},
                             [&](const char* star) { return IsOneWord(Joined(pieces, star)); });
}

// A piece as it may be lowered within a word, given what its stars may stand for. As it is if that
// is all one.
std::vector<std::string> ReadingsOf(const std::string& piece, bool star_before, bool star_behind) {
  const std::string alone = LowerWord(piece);
  std::vector<std::string> readings = {alone};
  for (const std::string before : {"", "a"}) {
    for (const std::string behind : {"", "a"}) {
      if ((!star_before && !before.empty()) || (!star_behind && !behind.empty())) continue;
      const std::string word = LowerWord(std::string(before).append(piece).append(behind));
      if (word.size() != before.size() + alone.size() + behind.size()) continue;  // it was cut
      std::string reading = word.substr(before.size(), alone.size());
      if (std::ranges::find(readings, reading) == readings.end()) {
        readings.push_back(std::move(reading));
      }
    }
  }
  return readings.size() == 1 ? std::vector<std::string>{piece} : readings;
}

bool IsPrefix(const std::vector<std::string>& pieces) {
  return pieces.size() == 2 && pieces[1].empty();
}

Result<void> CheckBounds(const std::vector<std::string>& pieces) {
  size_t bytes = 0;
  for (const std::string& piece : pieces) bytes += piece.size();
  if (pieces.size() - 1 > kPatternStarsMax) {
    return Error(Code::kInvalid,
                 "more than " + std::to_string(kPatternStarsMax) + " * in one value");
  }
  if (bytes <= kPatternBytesMax || IsPrefix(pieces)) return {};
  return Error(Code::kInvalid,
               "a value with * is longer than " + std::to_string(kPatternBytesMax) + " bytes",
               "only one that ends with its single * may be longer");
}

}  // namespace

bool FitsPattern(const std::vector<std::string>& pieces, std::string_view value) {
  if (pieces.size() < 2) return !pieces.empty() && value == pieces[0];
  if (!value.starts_with(pieces.front())) return false;
  value.remove_prefix(pieces.front().size());
  if (!value.ends_with(pieces.back())) return false;
  value.remove_suffix(pieces.back().size());
  for (size_t i = 1; i + 1 < pieces.size(); ++i) {
    const size_t at = value.find(pieces[i]);
    if (at == std::string_view::npos) return false;
    value.remove_prefix(at + pieces[i].size());
  }
  return true;
}

std::vector<std::string> PiecesOf(std::string_view text, const std::vector<size_t>& stars) {
  std::vector<std::string> pieces;
  size_t start = 0;
  for (const size_t star : stars) {
    pieces.emplace_back(text.substr(start, star - start));
    start = star;
  }
  pieces.emplace_back(text.substr(start));
  return pieces;
}

Result<Query> PatternLeaf(const std::string& path, FieldType type,
                          std::vector<std::string> pieces) {
  A4C_CHECK(IndexedPieces(type, pieces));
  Query leaf{.node = IsPrefix(pieces) ? Query::Node::kPrefix : Query::Node::kWildcard,
             .field = path};
  if (IsPrefix(pieces)) {
    leaf.value = std::move(pieces[0]);
  } else {
    leaf.pieces = std::move(pieces);
  }
  return leaf;
}

Result<std::vector<Query>> TextPatternLeaves(const std::string& path,
                                             const std::vector<std::string>& pieces) {
  A4C_CHECK(IndexedPieces(FieldType::kText, pieces));
  std::vector<std::vector<std::string>> patterns = {{}};
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto readings = ReadingsOf(pieces[i], i > 0, i + 1 < pieces.size());
    if (patterns.size() * readings.size() > kReadingsMax) {
      return Error(Code::kInvalid, "too many capital sigmas beside a *",
                   "write them small: σ or ς");
    }
    std::vector<std::vector<std::string>> longer;
    for (const auto& pattern : patterns) {
      for (const std::string& reading : readings) {
        longer.push_back(pattern);
        longer.back().push_back(reading);
      }
    }
    patterns = std::move(longer);
  }
  std::vector<Query> leaves;
  for (auto& pattern : patterns) {
    A4C_TRY(Query leaf, PatternLeaf(path, FieldType::kText, std::move(pattern)));
    leaves.push_back(std::move(leaf));
  }
  return leaves;
}

Result<std::vector<std::string>> IndexedPieces(FieldType type, std::vector<std::string> pieces) {
  if (pieces.size() < 2) return Error(Code::kInvalid, "a pattern without *");
  A4C_CHECK(CheckBounds(pieces));
  if (type != FieldType::kText) return pieces;
  const bool any_word = std::ranges::all_of(pieces, &std::string::empty);
  if (!any_word && !CanBeOneWord(pieces)) {
    return Error(Code::kInvalid,
                 "\"" + Joined(pieces, "*") + "\" is no beginning or part of one word",
                 "a * in a text stands for a part of one word: write the other words apart");
  }
  for (std::string& piece : pieces) piece = LowerWord(piece);
  return pieces;
}

}  // namespace a4c
