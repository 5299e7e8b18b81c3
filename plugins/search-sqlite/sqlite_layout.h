// How a generation of a kind lies in the file; n is its number:
//
//   "d_<kind>.n"(doc, scope, id, rev, hash, tombstone, projection, bucket, digest, and by field:)
//     f_<field>                kLong, kTime, kDouble, kBool: the number; others: how many values or
//                              words. NULL: the document has no such field
//     lo_<field>, hi_<field>   kKeyword: the smallest and the largest value
//   "b_<kind>.n"(doc, body)    apart, so that reading many documents reads no bodies
//   "v_<kind>.n.<field>"(value, doc)   kKeyword, kMap: each value
//   "w_<kind>.n.<field>.fts"(words)    kText: FTS5, the words joined by spaces and split there
//   alone a4c_generation(kind, number, live, layout), a4c_field(kind, number, field, type)
//
// A field that a kind does not have any more keeps its place, and new documents have nothing in it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/kind.h"
#include "a4c/result.h"
#include "sqlite_connection.h"

namespace a4c::search_sqlite {

// Raised when documents of the same kind are laid out anew.
inline constexpr int64_t kLayout = 1;
// Instead of a number: the generation that is live.
inline constexpr int64_t kLive = 0;

// What the file holds of a generation: its fields that were ever searchable.
struct Layout {
  std::string kind;
  int64_t number = 1;
  int64_t layout = kLayout;
  bool live = true;
  std::map<std::string, FieldType, std::less<>> fields = {};

  // Quoted, fit for SQL.
  std::string Documents() const { return Name("d_", ""); }
  std::string Bodies() const { return Name("b_", ""); }
  std::string Values(std::string_view field) const { return Name("v_", field); }
  std::string Words(std::string_view field) const;
  std::string Index(std::string_view of) const { return Name("i_", of); }
  // kConflict: the index lacks the field, or has it as another type.
  Result<FieldType> TypeOf(std::string_view field) const;
  Result<void> Check(std::string_view field, FieldType type) const;

 private:
  std::string Name(const char* prefix, std::string_view field) const;
};

bool IsKeywords(FieldType type);  // kKeyword, kMap
bool IsInteger(FieldType type);   // kLong, kTime

// The value by which integers are filtered, and sorted downwards: an absent one is the smallest.
// As an expression it stands in an index, so it has to read the same everywhere.
std::string DownwardsKey(std::string_view field);
std::string UpwardsKey(std::string_view field);

// Nothing: there is no such generation.
Result<std::optional<Layout>> ReadLayout(Connection& connection, const std::string& kind,
                                         int64_t number);

}  // namespace a4c::search_sqlite
