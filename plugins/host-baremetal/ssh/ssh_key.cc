#include "ssh/ssh_key.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Base64Encoder.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace a4c::baremetal {
namespace {

constexpr std::string_view kPrefix = "SHA256:";
constexpr size_t kDigestLetters = 43;  // 32 bytes in base64 without padding
constexpr size_t kKeyFileBytesMax = 64u << 10;
constexpr std::string_view kOpenSshBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr const char* kUseEd25519 = "make one with ssh-keygen -t ed25519";

Error BadKey(const std::string& path, const std::string& why, std::string hint) {
  return Error(Code::kInvalid, "private key " + path + ": " + why, std::move(hint));
}

// The binary inside the armour; of an OpenSSH key its first bytes name cipher and type in the
// clear.
std::string Unarmoured(const std::string& text) {
  const size_t begin = text.find(kOpenSshBegin) + kOpenSshBegin.size();
  std::istringstream in(text.substr(begin, text.find("-----END", begin) - begin));
  Poco::Base64Decoder decoder(in);
  return {std::istreambuf_iterator<char>(decoder), {}};
}

Result<void> CheckText(const std::string& path, const std::string& text) {
  if (text.find("-----BEGIN RSA PRIVATE KEY-----") != std::string::npos) {
    return BadKey(path, "an RSA key, which this libssh2 cannot use with today's OpenSSH",
                  kUseEd25519);
  }
  if (text.find(kOpenSshBegin) == std::string::npos) {
    if (text.find("PRIVATE KEY-----") != std::string::npos) return {};  // ECDSA in PEM
    return BadKey(path, "holds no private key", kUseEd25519);
  }
  const std::string binary = Unarmoured(text);
  if (binary.find("ssh-rsa") != std::string::npos) {
    return BadKey(path, "an RSA key, which this libssh2 cannot use with today's OpenSSH",
                  kUseEd25519);
  }
  if (binary.find("bcrypt") < 64) {
    return BadKey(path, "is encrypted", "make one without passphrase: ssh-keygen -t ed25519 -N ''");
  }
  return {};
}

}  // namespace

std::string Fingerprint(std::string_view sha256) {
  std::ostringstream out;
  Poco::Base64Encoder encoder(out);
  encoder << sha256;
  encoder.close();
  std::string text = out.str();
  while (!text.empty() && text.back() == '=') text.pop_back();
  return std::string(kPrefix) + text;
}

Result<void> CheckFingerprint(std::string_view fingerprint) {
  const bool fits = fingerprint.starts_with(kPrefix) &&
                    fingerprint.size() == kPrefix.size() + kDigestLetters &&
                    std::ranges::all_of(fingerprint.substr(kPrefix.size()), [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '+' || c == '/';
                    });
  if (fits) return {};
  return Error(Code::kInvalid,
               "host_key_fingerprint \"" + std::string(fingerprint) +
                   "\" is not of the form SHA256:<43 letters>",
               "on the server: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
}

Result<void> CheckPrivateKey(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  struct stat status {};
  if (!in || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return BadKey(path, "cannot be read", "");
  }
  if ((status.st_mode & 077) != 0) {
    return BadKey(path, "can be read by others", "chmod 600 " + path);
  }
  std::string text(kKeyFileBytesMax, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return CheckText(path, text);
}

}  // namespace a4c::baremetal
