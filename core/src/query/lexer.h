// Lexer: cuts the text of a query into tokens that know where they stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/result.h"

namespace a4c {

struct QueryToken {
  enum class Type : uint8_t {
    kWord,    // failed, labels.team, pre*, *mid*, *
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
  std::string text = {};           // kWord, kQuoted: without quotes, escapes and stars
  std::vector<size_t> stars = {};  // kWord: where stars stood, as offsets in the text, each once
  bool open = false;               // kQuoted: the text ended before the quote did
  size_t offset = 0;               // in bytes
  size_t size = 0;
};

// What has a meaning within a word unless a backslash stands before it.
inline constexpr std::string_view kQuerySpecial = "\\():<>\"*{}";

// and, or, not in any case.
bool IsOperatorWord(std::string_view word);

// Whether a quote that is never closed is an error or a token.
enum class QuoteAtEnd : uint8_t { kError, kOpen };

// Ends with a kEnd. kInvalid: "column 12: ..."
Result<std::vector<QueryToken>> Tokenize(std::string_view query,
                                         QuoteAtEnd quote = QuoteAtEnd::kError);

// "column 12: <message>" for the byte at offset.
Error QueryError(std::string_view query, size_t offset, const std::string& message,
                 std::string hint = {});

}  // namespace a4c
