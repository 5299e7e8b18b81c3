#include "a4c/host_enrolment.h"
#include "a4c/host_provider.h"
#include "a4c/json.h"

namespace a4c {
namespace {

constexpr size_t kTextBytesMax = 4096;
constexpr size_t kSettingsMax = 32;

Error Invalid(std::string message) {
  return Error(Code::kInvalid, std::move(message));
}

Result<void> CheckText(const std::string& what, std::string_view text) {
  if (text.empty()) return Invalid(what + " is empty");
  if (text.size() > kTextBytesMax) return Invalid(what + " is longer than 4096 bytes");
  if (text.find('\0') != std::string_view::npos) return Invalid(what + " holds a NUL");
  if (!IsUtf8(text)) return Invalid(what + " is not valid UTF-8");
  return {};
}

}  // namespace

Result<void> CheckHostSpec(const HostSpec& spec) {
  if (const Result<void> id = CheckUnitName(spec.id); !id) {
    return Invalid("id: as the name of a unit: " + id.error().message());
  }
  A4C_CHECK(CheckText("address", spec.address));
  A4C_CHECK(CheckText("fingerprint", spec.fingerprint));
  if (spec.settings.size() > kSettingsMax) return Invalid("settings: more than 32");
  for (const auto& [name, value] : spec.settings) {
    A4C_CHECK(CheckText("settings: a name", name));
    if (!value.empty()) A4C_CHECK(CheckText("settings." + name, value));
  }
  return {};
}

}  // namespace a4c
