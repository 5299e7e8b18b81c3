#include "apps/a4cd/auth/api_key.h"

#include <Poco/Checksum.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace a4cd {
namespace {

constexpr std::string_view kPrefix = "a4c_";
constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr size_t kRandomDigits = 44;
constexpr size_t kChecksumDigits = 6;

std::string Base62(uint64_t value, size_t digits) {
  std::string text(digits, '0');
  for (size_t i = digits; i-- > 0; value /= 62) text[i] = kDigits[value % 62];
  return text;
}

std::string Checksum(std::string_view text) {
  Poco::Checksum checksum(Poco::Checksum::TYPE_CRC32);
  checksum.update(text.data(), static_cast<unsigned int>(text.size()));
  return Base62(checksum.checksum(), kChecksumDigits);
}

}  // namespace

std::string NewApiKey(a4c::Random& random) {
  std::string text;
  for (int i = 0; i < 4; ++i) text += Base62(random.Next(), kRandomDigits / 4);
  return std::string(kPrefix) + text + "_" + Checksum(text);
}

bool IsApiKey(std::string_view text) {
  if (text.size() != kPrefix.size() + kRandomDigits + 1 + kChecksumDigits) return false;
  if (!text.starts_with(kPrefix)) return false;
  const std::string_view random = text.substr(kPrefix.size(), kRandomDigits);
  const bool letters =
      std::ranges::all_of(random, [](unsigned char c) { return std::isalnum(c) != 0; });
  return letters && text.substr(kPrefix.size() + kRandomDigits) == "_" + Checksum(random);
}

std::string ApiKeyHash(std::string_view key) {
  std::array<unsigned char, 32> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(key.data()),
                     key.size(), nullptr, 0);
  std::array<char, 65> hex{};
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  return hex.data();
}

std::string ApiKeyId(std::string_view hash) {
  return "key_" + std::string(hash.substr(0, 32));
}

bool SameHash(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace a4cd
