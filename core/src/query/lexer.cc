#include "query/lexer.h"

#include <algorithm>
#include <optional>

#include "a4c/time_period.h"
#include "query/utf8.h"

namespace a4c {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void AppendUtf8(std::string& out, uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::optional<QueryToken::Type> OperatorWord(std::string_view raw) {
  if (raw.size() > 3) return std::nullopt;
  const std::string lower = Lower(raw);
  if (lower == "and") return QueryToken::Type::kAnd;
  if (lower == "or") return QueryToken::Type::kOr;
  if (lower == "not") return QueryToken::Type::kNot;
  return std::nullopt;
}

class Lexer {
 public:
  Lexer(std::string_view query, QuoteAtEnd quote) : query_(query), quote_at_end_(quote) {}

  Result<std::vector<QueryToken>> Run() {
    std::vector<QueryToken> tokens;
    for (;;) {
      while (at_ < query_.size() && IsSpace(query_[at_])) ++at_;
      A4C_TRY(QueryToken token, Next());
      token.size = at_ - token.offset;
      tokens.push_back(std::move(token));
      if (tokens.back().type == QueryToken::Type::kEnd) return tokens;
    }
  }

 private:
  Result<QueryToken> Next() {
    if (at_ == query_.size()) return QueryToken{.offset = at_};
    switch (query_[at_]) {
      case '(':
        return Sign(QueryToken::Type::kOpen, 1);
      case ')':
        return Sign(QueryToken::Type::kClose, 1);
      case ':':
        return Sign(QueryToken::Type::kColon, 1);
      case '<':
        return Followed('=') ? Sign(QueryToken::Type::kLessEqual, 2)
                             : Sign(QueryToken::Type::kLess, 1);
      case '>':
        return Followed('=') ? Sign(QueryToken::Type::kGreaterEqual, 2)
                             : Sign(QueryToken::Type::kGreater, 1);
      case '"':
        return Quoted();
      case '{':
      case '}':
        return QueryError(query_, at_, "braces have no meaning here", "put the value in quotes");
      default:
        return Word();
    }
  }

  bool Followed(char c) const { return at_ + 1 < query_.size() && query_[at_ + 1] == c; }

  Result<QueryToken> Sign(QueryToken::Type type, size_t size) {
    QueryToken token{.type = type, .offset = at_};
    at_ += size;
    return token;
  }

  Result<QueryToken> Quoted() {
    QueryToken token{.type = QueryToken::Type::kQuoted, .offset = at_};
    ++at_;
    while (at_ < query_.size() && query_[at_] != '"') {
      const bool escape = query_[at_] == '\\' && at_ + 1 < query_.size();
      if (escape && (Followed('"') || Followed('\\'))) {
        token.text += query_[at_ + 1];
        at_ += 2;
      } else if (!escape || !TakeLetterEscape(token.text)) {
        token.text += query_[at_++];  // a backslash before anything else is one
      }
    }
    if (at_ == query_.size() && quote_at_end_ == QuoteAtEnd::kOpen) {
      token.open = true;
      return token;
    }
    if (at_ == query_.size()) {
      return QueryError(query_, token.offset, "this quote is never closed",
                        "add a closing \", or write \\\" for a quote within");
    }
    ++at_;
    return token;
  }

  // \t \r \n and four hex digits after \u; false, and nothing taken, for anything else.
  bool TakeLetterEscape(std::string& out) {
    const char letter = query_[at_ + 1];
    if (letter == 't' || letter == 'r' || letter == 'n') {
      out += letter == 't' ? '\t' : letter == 'r' ? '\r' : '\n';
      at_ += 2;
      return true;
    }
    const auto point = letter == 'u' ? HexAt(at_ + 2) : std::nullopt;
    if (!point) return false;
    AppendUtf8(out, *point);
    at_ += 6;
    return true;
  }

  std::optional<uint32_t> HexAt(size_t offset) const {
    if (offset + 4 > query_.size()) return std::nullopt;
    uint32_t point = 0;
    for (char c : query_.substr(offset, 4)) {
      const auto digit = std::string_view("0123456789abcdef").find(Lower({&c, 1})[0]);
      if (digit == std::string_view::npos) return std::nullopt;
      point = point << 4 | static_cast<uint32_t>(digit);
    }
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    return surrogate ? std::nullopt : std::optional(point);
  }

  Result<QueryToken> Word() {
    QueryToken token{.type = QueryToken::Type::kWord, .offset = at_};
    const bool time = StartsLikeTime(query_.substr(at_));
    bool escaped = false;
    while (at_ < query_.size() && !IsSpace(query_[at_])) {
      const char c = query_[at_];
      if (c == '\\') {
        escaped = true;
        A4C_CHECK(TakeEscape(token.text));
      } else if (c == '*') {
        TakeStar(token);
      } else if (kQuerySpecial.find(c) == std::string_view::npos || (time && c == ':')) {
        token.text += c;
        ++at_;
      } else {
        break;
      }
    }
    const auto type = escaped || !token.stars.empty() ? std::nullopt : OperatorWord(token.text);
    if (type) token.type = *type;
    return token;
  }

  Result<void> TakeEscape(std::string& out) {
    if (at_ + 1 < query_.size()) {
      if (kQuerySpecial.find(query_[at_ + 1]) != std::string_view::npos) {
        out += query_[at_ + 1];
        at_ += 2;
        return {};
      }
      if (TakeOperatorEscape(out) || TakeLetterEscape(out)) return {};
    }
    return QueryError(query_, at_, "a backslash before an ordinary character",
                      "write \\\\ for a backslash");
  }

  // \and, \or, \not: the words themselves.
  bool TakeOperatorEscape(std::string& out) {
    size_t end = at_ + 1;
    while (end < query_.size() && !IsSpace(query_[end]) &&
           kQuerySpecial.find(query_[end]) == std::string_view::npos) {
      ++end;
    }
    const std::string_view raw = query_.substr(at_ + 1, end - at_ - 1);
    if (!OperatorWord(raw)) return false;
    out += raw;
    at_ = end;
    return true;
  }

  void TakeStar(QueryToken& token) {
    const size_t offset = token.text.size();
    if (token.stars.empty() || token.stars.back() != offset) token.stars.push_back(offset);
    ++at_;
  }

  const std::string_view query_;
  const QuoteAtEnd quote_at_end_;
  size_t at_ = 0;
};

}  // namespace

Result<std::vector<QueryToken>> Tokenize(std::string_view query, QuoteAtEnd quote) {
  return Lexer(query, quote).Run();
}

bool IsOperatorWord(std::string_view word) {
  return OperatorWord(word).has_value();
}

Error QueryError(std::string_view query, size_t offset, const std::string& message,
                 std::string hint) {
  return Error(Code::kInvalid, "column " + std::to_string(ColumnOf(query, offset)) + ": " + message,
               std::move(hint));
}

}  // namespace a4c
