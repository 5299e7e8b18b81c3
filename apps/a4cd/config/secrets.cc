
#include "apps/a4cd/config/config_file.h"
#include "apps/usage/named_file.h"

namespace a4cd {
namespace {

using a4c::Code;
using a4c::ConfigValue;
using a4c::Error;
using a4c::Result;

constexpr size_t kSecretBytesMax = 64 * 1024;

Result<std::string> ReadSecretFile(const std::string& path) {
  A4C_TRY(std::string text, a4c::usage::ReadNamedFile(path, kSecretBytesMax));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

Result<std::string> Lookup(const std::string& name, const Environment& environment) {
  if (name.starts_with("file:")) return ReadSecretFile(name.substr(5));
  const auto found = environment.find(name);
  if (found != environment.end()) return found->second;
  return Error(Code::kNotFound, "the environment variable " + name + " is not set");
}

Result<std::string> ExpandText(const std::string& text, const Environment& environment) {
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    const size_t dollar = text.find('$', at);
    out.append(text, at, dollar - at);
    if (dollar == std::string::npos) break;
    at = dollar + 1;
    if (at < text.size() && text[at] == '$') ++at;
    if (dollar + 1 >= text.size() || text[dollar + 1] != '{') {
      out += '$';
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == std::string::npos) return Error(Code::kInvalid, "\"${\" without \"}\"");
    A4C_TRY(std::string secret, Lookup(text.substr(at + 1, end - at - 1), environment));
    out += secret;
    at = end + 1;
  }
  return out;
}

}  // namespace

Result<void> ExpandSecrets(ConfigValue& value, const Environment& environment) {
  if (value.shape == ConfigValue::Shape::kScalar) {
    Result<std::string> text = ExpandText(value.scalar, environment);
    if (!text) return text.error().Within(value.Where());
    value.scalar = *std::move(text);
  }
  for (ConfigValue& item : value.list) A4C_CHECK(ExpandSecrets(item, environment));
  for (auto& [name, member] : value.map) A4C_CHECK(ExpandSecrets(member, environment));
  return {};
}

}  // namespace a4cd
