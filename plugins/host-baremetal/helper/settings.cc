#include "settings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "files.h"

namespace a4c::helper {
namespace {

constexpr size_t kSettingsBytesMax = 16u << 10;
constexpr size_t kProgramBytesMax = 16u << 20;

bool IsUser(std::string_view user) {
  return !user.empty() && user.size() <= 32 && user.front() != '-' &&
         std::ranges::all_of(user, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

Result<void> Set(Settings& settings, const std::string& line) {
  const size_t equals = line.find('=');
  const std::string key = line.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : line.substr(equals + 1);
  if (!IsPlainPath(value)) return Error(Code::kInvalid, key + ": not an absolute, plain path");
  if (key == "data") {
    settings.data = value;
  } else if (key == "docker") {
    settings.docker = value;
  } else {
    return Error(Code::kInvalid, "unknown key " + key + "; there are data and docker");
  }
  return {};
}

bool IsSamePlace(const std::string& one, const std::string& other) {
  struct stat first {};
  struct stat second {};
  return one == other || (stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 &&
                          first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

bool HoldsUnits(const std::string& data) {
  const auto holds = [&](const std::string& cluster) {
    const std::string directory = data + "/" + cluster;
    return !NamesIn(directory + "/units").empty() || !NamesIn(directory + "/volumes").empty();
  };
  return std::ranges::any_of(NamesIn(data), holds);
}

}  // namespace

Result<Settings> ParseSettings(const std::string& text) {
  Settings settings;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (!line.empty() && line.front() != '#') A4C_CHECK(Set(settings, line));
  }
  return settings;
}

Result<Settings> ReadSettings() {
  A4C_TRY(const auto text, ReadFile(kSettingsPath, kSettingsBytesMax));
  auto settings = ParseSettings(text.value_or(""));
  if (!settings) {
    return Error(settings.error().code(),
                 std::string(kSettingsPath) + ": " + settings.error().message());
  }
  return settings;
}

Result<Installation> ReadInstallation(const std::vector<std::string>& arguments,
                                      const Settings& installed) {
  Installation wanted{.user = {}, .settings = installed};
  for (size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (name == "--user") {
      wanted.user = arguments[i + 1];
    } else if (name == "--data" || name == "--docker") {
      A4C_CHECK(Set(wanted.settings, name.substr(2) + "=" + arguments[i + 1]));
    } else {
      return Error(Code::kInvalid, "unknown option " + name);
    }
  }
  if (!IsUser(wanted.user)) return Error(Code::kInvalid, "--user: not a user's name");
  const std::string& data = wanted.settings.data;
  if (IsSamePlace(data, installed.data) || !HoldsUnits(installed.data)) return wanted;
  return Error(Code::kConflict,
               "--data " + data + ": fences and volumes of units are in " + installed.data +
                   ". Leave --data out, and it goes on there; or move what is there first, once no "
                   "unit has a volume");
}

Result<void> Install(const Installation& wanted) {
  if (geteuid() != 0) return Error(Code::kDenied, "install has to be run as root");
  const Settings& settings = wanted.settings;
  A4C_TRY(const auto program, [] {
    // Not followed elsewhere, and here it is a link by nature.
    char path[4096];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
    return ReadFile(std::string(path, size > 0 ? static_cast<size_t>(size) : 0), kProgramBytesMax);
  }());
  if (!program) return Error(Code::kInternal, "cannot read this program");
  A4C_CHECK(MakeDirectories(settings.data, 0711));
  A4C_CHECK(ReplaceFile(kSettingsPath,
                        "data=" + settings.data + "\ndocker=" + settings.docker + "\n", 0644));
  A4C_CHECK(ReplaceFile(kProgramPath, *program, 0755));
  A4C_CHECK(MakeDirectories("/etc/sudoers.d", 0750));
  return ReplaceFile(kSudoersPath,
                     wanted.user + " ALL=(root) NOPASSWD: " + kProgramPath + " serve\n", 0440);
}

}  // namespace a4c::helper
