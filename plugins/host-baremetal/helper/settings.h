// What an installation decides: /etc/a4c-host.conf, lines "key=value", written by `a4c-host
// install`.
#pragma once

#include <string>
#include <vector>

#include "a4c/result.h"

namespace a4c::helper {

inline constexpr const char* kProgramPath = "/usr/local/bin/a4c-host";
inline constexpr const char* kSettingsPath = "/etc/a4c-host.conf";
inline constexpr const char* kSudoersPath = "/etc/sudoers.d/a4c-host";
// Raised with each change that an older plugin or helper would misunderstand.
inline constexpr int kProtocol = 2;

struct Settings {
  std::string data = "/var/lib/a4c-host";       // fences and volumes
  std::string docker = "/var/run/docker.sock";  // dockerd's socket
  std::string proc = "/proc";                   // for tests
};

// kInvalid: an unknown key or a path that is none.
Result<Settings> ParseSettings(const std::string& text);
Result<Settings> ReadSettings();

// What `a4c-host install` was told, "--user deploy --data /srv/a4c". What it was not told stays as
// it is installed. kInvalid: it makes no sense. kConflict: data elsewhere, and what units have is
// where it was: their fences would be forgotten, and empty volumes made for them.
struct Installation {
  std::string user;
  Settings settings;
};
Result<Installation> ReadInstallation(const std::vector<std::string>& arguments,
                                      const Settings& installed);

// As root: copies this program to its place, writes the settings and the one sudoers line that lets
// `user` run it. The same again is fine, and an upgrade.
Result<void> Install(const Installation& wanted);

}  // namespace a4c::helper
