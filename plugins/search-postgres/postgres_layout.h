// How a generation of a kind lies in the schema; n is its number:
//
//   "<kind>.n"(id, scope, rev, hash, tombstone, projection, bucket, digest, body, tokens, by
//   field:)
//     f_<field>   kLong, kTime, kDouble, kBool: the value; others: how many values or words.
//                 NULL: the document has no such field
//     lo_<field>, hi_<field>   kKeyword, kMap: the smallest and the largest value
//     k_<field>   kKeyword, kMap: the values, if there are several
//     t_<field>   kText: the words in their order, a space before, between and behind them
//   tokens        what is asked for by equality: TokenOf each keyword, entry and word
//   _generations(kind, number, live, layout, fields), _fields(kind, number, field, type)
//
// A field that a kind does not have any more keeps its place, and new documents have nothing in it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/kind.h"
#include "a4c/result.h"
#include "postgres_session.h"

namespace a4c::search_postgres {

// Raised when documents of the same kind are laid out anew.
inline constexpr int64_t kLayout = 1;
// Instead of a number: the generation that is live.
inline constexpr int64_t kLive = 0;

// What the schema holds of a generation: its fields that were ever searchable.
struct Layout {
  std::string schema;
  std::string kind;
  int64_t number = 1;
  int64_t layout = kLayout;
  bool live = true;
  std::map<std::string, FieldType, std::less<>> fields = {};

  std::string Table() const;  // fit for SQL
  std::string View() const;   // of row-level security, see postgres_security.h
  // kConflict: the index lacks the field, or has it as another type.
  Result<FieldType> TypeOf(std::string_view field) const;
  Result<void> Check(std::string_view field, FieldType type) const;
};

bool IsKeywords(FieldType type);  // kKeyword, kMap
bool IsInteger(FieldType type);   // kLong, kTime

std::string KeywordToken(std::string_view field, std::string_view value);
std::string WordToken(std::string_view field, std::string_view word);

// The value by which integers are filtered, and sorted downwards: an absent one is the smallest.
// As an expression it stands in an index.
std::string DownwardsKey(std::string_view field);
std::string UpwardsKey(std::string_view field);

std::string Generations(const std::string& schema);  // the catalogue's tables, fit for SQL
std::string Fields(const std::string& schema);

// (number, layout, live, field, type): a row a field, at least one a generation.
Statement AskLayout(const std::string& schema, const std::string& kind, int64_t number);
// Nothing: there is no such generation.
std::optional<Layout> LayoutFrom(const std::string& schema, const std::string& kind,
                                 const Rows& rows);

// Whether the answer to it says that the layout is as it was: the same generation, as many fields.
Statement AskIfSame(const Layout& layout, int64_t number);
bool IsSame(const Layout& layout, const Rows& rows);
// The same for a transaction that writes: it fails with kNotSame otherwise, and holds off until its
// end whoever would change the layout.
Statement HoldSame(const Layout& layout, int64_t number);
inline constexpr std::string_view kNotSame = "22012";

}  // namespace a4c::search_postgres
