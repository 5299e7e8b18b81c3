// Literals: what a written value means for a field of a type.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/kind.h"
#include "a4c/query.h"
#include "a4c/result.h"

namespace a4c {

enum class Comparison : uint8_t { kEquals, kLess, kLessEqual, kGreater, kGreaterEqual };

struct Literal {
  std::string text = {};
  bool quoted = false;
  std::vector<size_t> stars = {};  // offsets in the text
};

// The leaf `path comparison literals` for a field of this type: one quoted literal, or words as
// they follow one another. An error's message has no column yet.
Result<Query> LeafOf(const std::string& path, FieldType type, Comparison comparison,
                     std::span<const Literal> literals, int64_t now_ms);

// The leaf of a text, or of any text if the path is empty: the phrase, or any of the words and
// patterns.
Result<Query> TextLeafOf(const std::string& path, std::span<const Literal> literals);

}  // namespace a4c
