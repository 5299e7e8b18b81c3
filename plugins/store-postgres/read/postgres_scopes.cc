#include "read/postgres_scopes.h"

#include <utility>

#include "read/postgres_rows.h"
#include "session/postgres_server.h"

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

Statement InScopes(std::string sql, const Call& call, bool row_security, const Scopes& named) {
  if (!row_security) return {std::move(sql)};
  return {std::move(sql) + ", set_config('a4c.scopes', $1::text, true)",
          {call.scopes != nullptr ? ArrayText(*call.scopes) : ArrayText(named)}};
}

}  // namespace

Statement OpeningOf(const Call& call, bool row_security, const Scopes& named) {
  return InScopes(kTimeSql, call, row_security, named);
}

Statement WriteOpeningOf(const Call& call, bool row_security, const Scopes& named) {
  return InScopes(std::string(kTimeSql) + ", " + kWaitsSql, call, row_security, named);
}

}  // namespace a4c::postgres
