#include "read/postgres_scopes.h"

#include "read/postgres_rows.h"

namespace a4c::postgres {
namespace {

// As PostgreSQL reads an array: {"a","b"}, with backslashes before quotes and backslashes.
template <typename Any>
std::string ArrayText(const Any& scopes) {
  std::string text;
  for (const std::string_view scope : scopes) {
    text += text.empty() ? "{\"" : ",\"";
    for (const char c : scope) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text.empty() ? "{}" : text + "}";
}

}  // namespace

Statement OpeningOf(const Call& call, bool row_security, const Scopes& named) {
  if (!row_security) return {kTimeSql};
  return {std::string(kTimeSql) + ", set_config('a4c.scopes', $1::text, true)",
          {call.scopes != nullptr ? ArrayText(*call.scopes) : ArrayText(named)}};
}

}  // namespace a4c::postgres
