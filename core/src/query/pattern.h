// Patterns: values with stars, as pieces between them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "a4c/kind.h"
#include "a4c/query.h"
#include "a4c/result.h"

namespace a4c {

// Bytes of a keyword or entry that others are compared with, in their order or by their beginning:
// Lucene makes an automaton of it, and none deeper than 1,000.
inline constexpr size_t kBoundBytesMax = 900;

// The text cut at the stars' offsets.
std::vector<std::string> PiecesOf(std::string_view text, const std::vector<size_t>& stars);

// A kPrefix or kWildcard leaf for a field of this type (a path of "" is any text). An error's
// message has no column yet: past the bounds, or, of a text, no part of one word.
Result<Query> PatternLeaf(const std::string& path, FieldType type, std::vector<std::string> pieces);

// The leaves that find what a pattern of a text means, as many as there are ways to lower it: a
// capital sigma beside a star is one letter at a word's end and another within.
Result<std::vector<Query>> TextPatternLeaves(const std::string& path,
                                             const std::vector<std::string>& pieces);

// As it is matched: pieces of a text are lowered as its words are.
Result<std::vector<std::string>> IndexedPieces(FieldType type, std::vector<std::string> pieces);

}  // namespace a4c
