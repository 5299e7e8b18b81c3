#include "images/registries.h"

#include <Poco/Base64Encoder.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "a4c/json.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kPasswordBytesMax = 16u << 10;

Result<std::string> ReadPassword(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  struct stat status {};
  if (!in || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error(Code::kInvalid, "password_file " + path + " cannot be read");
  }
  if ((status.st_mode & 077) != 0) {
    return Error(Code::kInvalid, "password_file " + path + " can be read by others",
                 "chmod 600 " + path);
  }
  std::string text(kPasswordBytesMax, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.empty()) return Error(Code::kInvalid, "password_file " + path + " is empty");
  return text;
}

bool IsAddress(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':';
  });
}

}  // namespace

Result<RegistryOptions> ReadRegistryOptions(const ConfigValue& value) {
  A4C_TRY(const Config config, CheckConfig(value, kRegistryKeys));
  RegistryOptions registry{.address = config.String("address"),
                           .username = config.String("username"),
                           .password_file = config.String("password_file")};
  const auto fault = [&](const std::string& what) {
    return Error(Code::kInvalid, value.Where() + ": " + what);
  };
  if (!IsAddress(registry.address)) {
    return fault("address is that of a registry, such as registry.example:5000, without a path");
  }
  if (registry.username.empty() != registry.password_file.empty()) {
    return fault("username and password_file come together");
  }
  if (registry.password_file.empty()) return registry;
  const auto password = ReadPassword(registry.password_file);
  if (!password) return password.error().Within(value.Where());
  return registry;
}

const RegistryOptions* FindRegistry(const std::vector<RegistryOptions>& registries,
                                    const std::string& address) {
  const auto found = std::ranges::find(registries, address, &RegistryOptions::address);
  return found == registries.end() ? nullptr : &*found;
}

Result<std::string> RegistryAuth(const RegistryOptions& registry) {
  if (registry.username.empty()) return std::string();
  A4C_TRY(const std::string password, ReadPassword(registry.password_file));
  Json auth;
  auth.Set("username", registry.username).Set("password", password);
  auth.Set("serveraddress", registry.address);
  std::ostringstream out;
  Poco::Base64Encoder encoder(out, Poco::BASE64_URL_ENCODING);
  encoder.rdbuf()->setLineLength(0);
  encoder << auth.ToString();
  encoder.close();
  return out.str();
}

}  // namespace a4c::baremetal
