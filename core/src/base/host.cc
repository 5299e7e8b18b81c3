#include <algorithm>

#include "a4c/host_provider.h"
#include "a4c/json.h"

namespace a4c {
namespace {

constexpr size_t kArchBytesMax = 32;
constexpr size_t kVersionsMax = 16;
constexpr size_t kVersionNameBytesMax = 64;
constexpr size_t kVersionBytesMax = 128;
constexpr size_t kWarningsMax = 16;
constexpr size_t kWarningBytesMax = 512;
constexpr size_t kFingerprintBytesMax = 256;

Error Invalid(const Host& host, const std::string& what) {
  return Error(Code::kInvalid, "host " + host.id + ": " + what);
}

bool IsText(std::string_view text, size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && text.find('\0') == std::string_view::npos &&
         IsUtf8(text);
}

bool IsArch(std::string_view arch) {
  return arch.size() <= kArchBytesMax && std::ranges::all_of(arch, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

Result<void> CheckIdentity(const Host& host) {
  if (host.pinned_fingerprint.empty() && host.shown_fingerprint.empty()) return {};
  if (host.reachable) return Invalid(host, "shown_fingerprint: it is reachable");
  for (const std::string& one : {host.pinned_fingerprint, host.shown_fingerprint}) {
    if (!IsText(one, kFingerprintBytesMax)) {
      return Invalid(host, "shown_fingerprint, pinned_fingerprint: one is out of form");
    }
  }
  return {};
}

}  // namespace

Result<void> CheckHost(const Host& host) {
  if (!IsArch(host.arch)) return Invalid(host, "arch: at most 32 of a-z, 0-9 and \"_\"");
  if (host.versions.size() > kVersionsMax) return Invalid(host, "versions: more than 16");
  for (const auto& [name, version] : host.versions) {
    if (!IsText(name, kVersionNameBytesMax))
      return Invalid(host, "versions: a name is out of form");
    if (!IsText(version, kVersionBytesMax))
      return Invalid(host, "versions." + name + ": no version");
  }
  if (host.warnings.size() > kWarningsMax) return Invalid(host, "warnings: more than 16");
  const bool readable = std::ranges::all_of(
      host.warnings, [](const auto& warning) { return IsText(warning, kWarningBytesMax); });
  if (!readable) return Invalid(host, "warnings: one is out of form");
  return CheckIdentity(host);
}

}  // namespace a4c
