#include "base/utf8_check.h"

#include <cstdint>
#include <cstring>

#include "a4c/json.h"

namespace a4c {
namespace {

// How many bytes of plain ASCII the text begins with: eight at a time, then one by one.
size_t AsciiBytes(std::string_view text) {
  size_t at = 0;
  for (uint64_t eight = 0; at + sizeof(eight) <= text.size(); at += sizeof(eight)) {
    std::memcpy(&eight, text.data() + at, sizeof(eight));
    if ((eight & 0x8080808080808080) != 0) break;
  }
  while (at < text.size() && static_cast<uint8_t>(text[at]) < 0x80) ++at;
  return at;
}

// The bytes of the character that the text begins with; 0 if that is none: cut short, overlong, a
// surrogate, beyond Unicode.
size_t CharacterBytes(std::string_view text) {
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t length = lead < 0x80       ? 1
                        : lead >> 5 == 6  ? 2
                        : lead >> 4 == 14 ? 3
                        : lead >> 3 == 30 ? 4
                                          : 0;
  if (length == 0 || length > text.size()) return 0;
  uint32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
  for (size_t k = 1; k < length; ++k) {
    const auto next = static_cast<uint8_t>(text[k]);
    if (next >> 6 != 2) return 0;
    point = point << 6 | (next & 0x3Fu);
  }
  const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
  return point < kSmallest[length] || point > 0x10FFFF || is_surrogate ? 0 : length;
}

}  // namespace

size_t FirstNotUtf8(std::string_view text) {
  size_t at = AsciiBytes(text);
  while (at < text.size()) {
    const size_t length = CharacterBytes(text.substr(at));
    if (length == 0) return at;
    at += length;
    at += AsciiBytes(text.substr(at));
  }
  return at;
}

bool IsUtf8(std::string_view text) {
  return FirstNotUtf8(text) == text.size();
}

}  // namespace a4c
