#include <charconv>

#include "a4c/collection.h"

namespace a4c {

// kind "." rev "." id: neither kind nor rev holds a dot; an id may hold anything.
std::string TokenText(const Token& token) {
  return token.ref.kind + "." + std::to_string(token.rev) + "." + token.ref.key.id;
}

Result<Token> ParseToken(std::string_view text, std::string_view scope) {
  const Error wrong(Code::kInvalid, "\"" + std::string(text.substr(0, 100)) + "\" is not a token",
                    "pass the A4C-Token of a write as it came");
  const size_t first = text.find('.');
  const size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return wrong;
  const std::string_view digits = text.substr(first + 1, second - first - 1);
  Token token{{std::string(text.substr(0, first)),
               {std::string(scope), std::string(text.substr(second + 1))}}};
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, token.rev);
  if (error != std::errc() || at != end || token.rev < 1) return wrong;
  if (!CheckKey(token.ref.key)) return wrong;
  return token;
}

}  // namespace a4c
