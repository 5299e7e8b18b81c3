#include "apps/a4cd/secrets/secret_box.h"

#include <sodium.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

namespace a4cd {
namespace {

using a4c::Code;
using a4c::Error;
using a4c::Result;

constexpr std::string_view kForm = "v1.";
constexpr size_t kKeysMax = 16;
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr const char* kMakeOne = "make one: (umask 077; openssl rand -base64 32 >FILE)";

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string Base64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), Bytes(bytes), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the NUL
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(Bytes(bytes), bytes.size(), text.data(), text.size(), nullptr, &size, &end,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != text.data() + text.size()) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

Result<void> CheckMode(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) {
    return Error(Code::kInvalid, path + " cannot be read: " + std::strerror(errno), kMakeOne);
  }
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
  return Error(Code::kInvalid, path + " may be read by others", "chmod 600 " + path);
}

}  // namespace

Result<SecretBox> SecretBox::Read(const std::string& path) {
  A4C_CHECK(CheckMode(path));
  std::ifstream file(path);
  std::vector<Key> keys;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty()) continue;
    const std::optional<std::string> bytes = FromBase64(line);
    if (!bytes || bytes->size() != sizeof(Key) || keys.size() >= kKeysMax) {
      return Error(Code::kInvalid,
                   path + ":" + std::to_string(number) +
                       ": a key is 32 bytes in base64, and there are at most 16",
                   kMakeOne);
    }
    std::memcpy(keys.emplace_back().data(), bytes->data(), sizeof(Key));
  }
  if (!keys.empty()) return SecretBox(std::move(keys));
  return Error(Code::kInvalid, path + " holds no key", kMakeOne);
}

std::string SecretBox::Seal(a4c::Random& random, std::string_view bound_to,
                            std::string_view text) const {
  std::string sealed(kNonceBytes + text.size() + kTagBytes, '\0');
  for (size_t at = 0; at < kNonceBytes; at += sizeof(uint64_t)) {
    const uint64_t bits = random.Next();
    std::memcpy(sealed.data() + at, &bits, sizeof(bits));
  }
  crypto_aead_xchacha20poly1305_ietf_encrypt(Bytes(sealed) + kNonceBytes, nullptr, Bytes(text),
                                             text.size(), Bytes(bound_to), bound_to.size(), nullptr,
                                             Bytes(sealed), keys_[0].data());
  return std::string(kForm) + Base64(sealed);
}

Result<std::string> SecretBox::Open(std::string_view bound_to, std::string_view sealed) const {
  const std::optional<std::string> bytes =
      sealed.starts_with(kForm) ? FromBase64(sealed.substr(kForm.size())) : std::nullopt;
  if (bytes && bytes->size() >= kNonceBytes + kTagBytes) {
    std::string text(bytes->size() - kNonceBytes - kTagBytes, '\0');
    for (const Key& key : keys_) {
      if (crypto_aead_xchacha20poly1305_ietf_decrypt(
              Bytes(text), nullptr, nullptr, Bytes(*bytes) + kNonceBytes,
              bytes->size() - kNonceBytes, Bytes(bound_to), bound_to.size(), Bytes(*bytes),
              key.data()) == 0) {
        return text;
      }
    }
  }
  return Error(Code::kDenied, "no key of this a4cd opens it",
               "is secrets.key_file the one that it was set with? Set it again otherwise");
}

std::string SecretBox::Fingerprint(std::string_view text) const {
  std::string hash(crypto_generichash_BYTES, '\0');
  crypto_generichash(Bytes(hash), hash.size(), Bytes(text), text.size(), keys_[0].data(),
                     keys_[0].size());
  return Base64(hash);
}

}  // namespace a4cd
