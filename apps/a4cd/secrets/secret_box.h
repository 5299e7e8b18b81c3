// Seals texts, so that who reads the store, or a backup of it, reads none of them:
// XChaCha20-Poly1305 (libsodium), each with a nonce of its own and bound to where it belongs, so
// that one cannot be put in another's place. [any thread]
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/clock.h"
#include "a4c/result.h"

namespace a4cd {

class SecretBox {
 public:
  // A file of mode 0600 with keys, one a line: 32 bytes in base64, as `openssl rand -base64 32`
  // prints them. The first seals, all open: a new one is put before the old ones.
  static a4c::Result<SecretBox> Read(const std::string& path);

  std::string Seal(a4c::Random& random, std::string_view bound_to, std::string_view text) const;
  // kDenied: no key here opens it, or it was changed, or belongs elsewhere.
  a4c::Result<std::string> Open(std::string_view bound_to, std::string_view sealed) const;
  // Of a text, so that equal ones can be told, and by nobody else what they are.
  std::string Fingerprint(std::string_view text) const;

 private:
  using Key = std::array<unsigned char, 32>;
  explicit SecretBox(std::vector<Key> keys) : keys_(std::move(keys)) {}

  std::vector<Key> keys_;  // at least one
};

}  // namespace a4cd
