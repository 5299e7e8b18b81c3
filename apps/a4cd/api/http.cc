#include "apps/a4cd/api/http.h"

#include <algorithm>
#include <cctype>

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Result;

const std::string kNothing;

bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

const std::string& Request::Header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [&](const auto& one) { return SameName(one.first, name); });
  return found == headers.end() ? kNothing : found->second;
}

const std::string& Request::Query(std::string_view name) const {
  const auto found =
      std::ranges::find_if(query, [&](const auto& one) { return one.first == name; });
  return found == query.end() ? kNothing : found->second;
}

bool Request::HasQuery(std::string_view name) const {
  return std::ranges::any_of(query, [&](const auto& one) { return one.first == name; });
}

Response JsonResponse(int status, const a4c::Json& body) {
  Response response;
  response.status = status;
  response.body = body.ToString() + "\n";
  return response;
}

Response TextResponse(int status, std::string text) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return Error(Code::kInvalid, "a broken % escape in the URL");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (out.find('\0') != std::string::npos || !a4c::IsUtf8(out)) {
    return Error(Code::kInvalid, "the URL holds bytes that are no UTF-8 text");
  }
  return out;
}

Result<NameValues> ParseQueryString(std::string_view text) {
  NameValues query;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    A4C_TRY(std::string name, PercentDecode(pair.substr(0, equals), true));
    A4C_TRY(std::string value, PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true));
    query.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

std::vector<std::string> BetweenCommas(const std::string& texts) {
  std::vector<std::string> list;
  size_t at = 0;
  while (at <= texts.size()) {
    const size_t end = std::min(texts.find(',', at), texts.size());
    const size_t begin = texts.find_first_not_of(' ', at);
    if (begin < end) list.push_back(texts.substr(begin, end - begin));
    at = end + 1;
  }
  return list;
}

}  // namespace a4cd
