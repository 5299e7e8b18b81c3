// Highlights: which words of a text a query matched, computed from the body alone, so that they are
// the same whatever search engine found it.
//
//   for (const Highlight& highlight : HighlightsOf(query, kind, hit.body)) Show(highlight);
//
// [any thread]
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/query.h"

namespace a4c {

// Bytes of a text, of whole characters.
struct TextSpan {
  size_t offset = 0;
  size_t size = 0;
};

// A piece of a text, cut between words, and what matched within it, in order and apart.
struct Fragment {
  std::string text;
  std::vector<TextSpan> matches = {};
};

struct Highlight {
  std::string field;  // a searchable kText field
  std::vector<Fragment> fragments = {};
};

struct HighlightLimits {
  size_t fragments_max = 3;           // per field; the first ones
  size_t fragment_bytes = 200;        // of a match too; a fragment grows to the end of a match
  size_t text_bytes_max = 64u << 10;  // what is looked through of one text
};

// In the order of the kind's fields; only fields in which something matched. What stands under a
// not is left out; words of a phrase count only where the phrase stands. Nothing if the body is no
// JSON object or the query does not fit the kind.
A4C_API std::vector<Highlight> HighlightsOf(const Query& query, const Kind& kind,
                                            std::string_view body,
                                            const HighlightLimits& limits = {});

}  // namespace a4c
