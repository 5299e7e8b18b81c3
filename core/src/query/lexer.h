// Lexer: cuts the text of a query into tokens that know where they stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/result.h"

namespace a4c {

struct Token {
  enum class Type : uint8_t {
    kWord,    // failed, labels.team, pre*, *
    kQuoted,  // "connection refused"
    kAnd,
    kOr,
    kNot,
    kColon,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kOpen,
    kClose,
    kEnd,
  };
  Type type = Type::kEnd;
  std::string text = {};  // kWord, kQuoted: without quotes, escapes and the star at the end
  bool star = false;      // kWord: a star stood at the end
  size_t offset = 0;      // in bytes
  size_t size = 0;
};

// Ends with a kEnd. kInvalid: "column 12: ..."
Result<std::vector<Token>> Tokenize(std::string_view query);

// "column 12: <message>" for the byte at offset.
Error QueryError(std::string_view query, size_t offset, const std::string& message,
                 std::string hint = {});

}  // namespace a4c
