// Values as PostgreSQL's text format has them: parameters and results are texts, never SQL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "a4c/kind.h"
#include "a4c/record.h"

namespace a4c::search_postgres {

// A name in SQL.
std::string Quoted(std::string_view name);
// {"a","b"}: a text[].
std::string ArrayText(const std::vector<std::string>& items);
// Of a value that is there. Doubles come back as the same double.
std::string ToText(const Scalar& value);
Scalar FromText(FieldType type, std::string_view text);

// The first text, by bytes, behind all that start with the prefix; empty: there is none.
std::string BehindPrefix(std::string_view prefix);

}  // namespace a4c::search_postgres
