#include "apps/a4cd/api/cursor.h"

#include <sodium.h>

#include <array>
#include <vector>

namespace a4cd {
namespace {
constexpr size_t kTagDigits = 12;
constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr size_t kCursorBytesMax = 8192;
}  // namespace

std::string HashHex(std::string_view text) {
  std::array<unsigned char, 32> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), nullptr, 0);
  std::array<char, 65> hex{};
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  return hex.data();
}

std::string EncodeCursor(std::string_view list, std::string_view position) {
  const std::string plain = HashHex(list).substr(0, kTagDigits) + std::string(position);
  std::vector<char> text(sodium_base64_encoded_len(plain.size(), kVariant));
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(plain.data()),
                    plain.size(), kVariant);
  return text.data();
}

a4c::Result<std::string> DecodeCursor(std::string_view list, std::string_view text) {
  if (text.empty()) return std::string();
  const a4c::Error wrong(a4c::Code::kInvalid, "the cursor belongs to no page of this list",
                         "take it from `next` of the page before, with the same parameters");
  if (text.size() > kCursorBytesMax) return wrong;
  std::vector<unsigned char> plain(text.size() + 1);
  size_t size = 0;
  if (sodium_base642bin(plain.data(), plain.size(), text.data(), text.size(), nullptr, &size,
                        nullptr, kVariant) != 0) {
    return wrong;
  }
  const std::string_view decoded(reinterpret_cast<const char*>(plain.data()), size);
  if (size <= kTagDigits || decoded.substr(0, kTagDigits) != HashHex(list).substr(0, kTagDigits)) {
    return wrong;
  }
  return std::string(decoded.substr(kTagDigits));
}

}  // namespace a4cd
