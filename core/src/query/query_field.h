// QueryField: the field that a name in a query means.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "a4c/kind.h"

namespace a4c {

struct QueryField {
  const Field* field = nullptr;            // searchable
  std::optional<std::string> member = {};  // of a kMap: "team" of "labels.team"
};

// Nothing if there is no such searchable field.
std::optional<QueryField> FindQueryField(const Kind& kind, std::string_view name);

// "did you mean \"state\"?", or the names of all searchable fields.
std::string FieldHint(const Kind& kind, std::string_view name);

// UTF-8 without a NUL, which no keyword or entry holds and where some engines end a string.
bool CanBeKeyword(std::string_view value);

// At most kKeywordBytesMax bytes of whole characters.
std::string CutKeyword(std::string_view value);

}  // namespace a4c
