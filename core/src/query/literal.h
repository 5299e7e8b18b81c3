// Literals: what a written value means for a field of a type.
#pragma once

#include <string>
#include <string_view>

#include "a4c/kind.h"
#include "a4c/query.h"
#include "a4c/result.h"

namespace a4c {

enum class Comparison : uint8_t { kEquals, kLess, kLessEqual, kGreater, kGreaterEqual };

struct Literal {
  std::string text = {};
  bool quoted = false;
  bool star = false;  // text*
};

// The leaf `path comparison literal` for a field of this type. An error's message has no column
// yet.
Result<Query> LeafOf(const std::string& path, FieldType type, Comparison comparison,
                     const Literal& literal);

}  // namespace a4c
