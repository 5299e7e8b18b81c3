// Query: what to look for, as a tree that every search engine can translate, and the text analysis
// that makes their answers equal.
//
// Queries come from people as KQL (ParseQuery) or from code. A tree from ParseQuery is checked
// against the kind: fields exist and are searchable, values have the field's type, dates are
// milliseconds, and its cost is below the limit. Plain data [any thread].
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/record.h"
#include "a4c/result.h"

namespace a4c {

struct Query {
  enum class Node : uint8_t {
    kAll,     // everything
    kAnd,     // all children; none: everything
    kOr,      // any child; none: nothing
    kNot,     // not the one child
    kEquals,  // field = value; a kKeyword array has it, a kText field has all its words as a phrase
    kRange,   // lower <= or < field <= or < upper, monostate: open
    kExists,  // the field is there and not null
    // Of kText; in `field`, or, if it is empty, in any searchable kText field:
    kPhrase,  // the words one after another
    kWords,   // any of the words
    // Of a kKeyword field or a member of a kMap as a whole, or of one word of kText as above:
    kPrefix,    // starts with value (a string)
    kWildcard,  // is the pieces in their order, with anything between them
  };
  Node node = Node::kAll;
  std::vector<Query> children = {};
  std::string field = {};  // "state", "labels.team"
  Scalar value = {};       // kEquals; kPrefix: a string
  Scalar lower = {};       // kRange
  Scalar upper = {};
  bool lower_inclusive = true;
  bool upper_inclusive = false;
  std::vector<std::string> words = {};   // kPhrase, kWords: Words() of the text
  std::vector<std::string> pieces = {};  // kWildcard: what stands between the stars, "" at an end
};

struct QueryLimits {
  size_t bytes_max = 8192;
  int clauses_max = 256;  // leaves of the tree; of kWords and kPhrase each word, kWildcard: 8
  int depth_max = 12;     // of parentheses and nots; keeps a tree within kQueryTreeDepthMax
};

// Parses KQL for this kind: field:value, field:"a b", field:pre*, field:*mid*, field:*,
// field:(a or b), ranges (>, >=, <, <=), and/or/not, parentheses, bare words, "quoted phrases".
// now_ms: what `now` means in times. kInvalid: "column 12: ..." with a hint.
A4C_API Result<Query> ParseQuery(std::string_view text, const Kind& kind, int64_t now_ms,
                                 const QueryLimits& limits = {});

// The words of a text: segments by UAX #29 that hold a letter or a number, lower case, nothing else
// folded, each cut at 255 bytes. What every engine stores and matches. Invalid UTF-8 is replaced
// first.
A4C_API std::vector<std::string> Words(std::string_view text);

// Whether a body matches: the meaning of a query, against which every engine is tested.
A4C_API bool Matches(const Query& query, const Kind& kind, std::string_view body);

// Levels of a tree: Elasticsearch 8 refuses queries nested deeper than 30, its own wrapping
// included.
inline constexpr int kQueryTreeDepthMax = 28;

// Bounds of a kWildcard: bytes of all pieces together, and stars between and around them.
inline constexpr size_t kPatternBytesMax = 256;
inline constexpr size_t kPatternStarsMax = 8;

// Keyword bytes that take part in matching and sorting; longer ones are cut here, in every engine.
inline constexpr size_t kKeywordBytesMax = 1024;

}  // namespace a4c
