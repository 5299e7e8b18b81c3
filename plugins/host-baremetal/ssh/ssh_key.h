// Fingerprints of host keys, and what kind of private key a file holds.
#pragma once

#include <string>
#include <string_view>

#include "a4c/result.h"

namespace a4c::baremetal {

// "SHA256:..." of a digest of 32 bytes, as ssh-keygen -l shows it.
std::string Fingerprint(std::string_view sha256);

// kInvalid unless it has that form.
Result<void> CheckFingerprint(std::string_view fingerprint);

// kInvalid with a hint for what cannot work: RSA keys (libssh2 1.10 signs them with SHA-1, which
// OpenSSH refuses), encrypted keys, files that others can read, files that are no key.
Result<void> CheckPrivateKey(const std::string& path);

}  // namespace a4c::baremetal
