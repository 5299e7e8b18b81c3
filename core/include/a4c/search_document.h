// For authors of search engines: what is indexed of a document, the same in every engine.
//
//   A4C_TRY(SearchDocument indexed, MakeSearchDocument(kind, document));   // else kRejected
//   for (const SearchField& field : indexed.fields) Store(field.name, field.words, ...);
//
// An engine stores these values beside the body and matches them with a query from PlanSearch()
// (a4c/search_plan.h). It analyses nothing by itself: that is why engines agree on what a word is,
// where a keyword is cut and which documents cannot be indexed. Plain data [any thread].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/query.h"
#include "a4c/record.h"
#include "a4c/result.h"
#include "a4c/search_index.h"

namespace a4c {

// One searchable field that is there and not null; only the member of its type is filled.
struct SearchField {
  std::string name;
  FieldType type = FieldType::kKeyword;
  // kKeyword: the values; kMap: MapEntry() of each member. Cut at kKeywordBytesMax, sorted, unique;
  // may be empty ([] and {} are there, and hold nothing).
  std::vector<std::string> keywords = {};
  std::vector<std::string> words = {};  // kText: Words() in their order; may be empty
  Scalar number = {};  // kLong, kTime: int64_t; kDouble: double (no -0); kBool: bool
};

struct SearchDocument {
  std::vector<SearchField> fields = {};  // in the kind's order; none of a tombstone
  uint32_t body_hash = 0;
  int bucket = 0;       // DigestBucket of the id
  uint32_t digest = 0;  // DigestOf the document

  A4C_API const SearchField* Find(std::string_view name) const;
};

// Values in one field of one document, past which it is refused.
inline constexpr size_t kSearchValuesMax = 4096;

// kInvalid says why this document can never be indexed, naming the field: a bad key or rev, a body
// that is no JSON object within BodyLimits, a searchable field of another type, a keyword with a
// NUL, more than kSearchValuesMax values. Every engine answers kRejected for exactly these. The
// body of a tombstone is not looked into.
A4C_API Result<SearchDocument> MakeSearchDocument(const Kind& kind, const Document& document);

// "team=infra", the keyword under which a member of a kMap field is indexed; `\` and `=` in the
// name get a `\` before them, so that no two members look alike. Cut at kKeywordBytesMax.
A4C_API std::string MapEntry(std::string_view name, std::string_view value);

}  // namespace a4c
