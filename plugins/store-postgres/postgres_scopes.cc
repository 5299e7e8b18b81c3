#include "postgres_scopes.h"

#include "postgres_rows.h"

namespace a4c::postgres {
namespace {

// As PostgreSQL reads an array: {"a","b"}, with backslashes before quotes and backslashes.
std::string ArrayText(const Scopes& scopes) {
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

Statement OpeningOf(bool row_security, const Scopes& scopes) {
  if (!row_security) return {kTimeSql};
  return {std::string(kTimeSql) + ", set_config('a4c.scopes', $1::text, true)",
          {ArrayText(scopes)}};
}

}  // namespace a4c::postgres
