#include "plugin/file_trust.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace a4c::plugin {

std::string FaultOf(const struct stat& status, uid_t us) {
  if (status.st_uid != 0 && status.st_uid != us) {
    return "belongs to user " + std::to_string(status.st_uid) + ", neither root nor us";
  }
  const bool sticky_directory = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX);
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) && !sticky_directory) {
    return "may be written by others than its owner";
  }
  return {};
}

Result<void> CheckTrust(const std::filesystem::path& file) {
  for (std::filesystem::path path = file;; path = path.parent_path()) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) {
      return Error(Code::kNotFound, "cannot read " + path.string() + ": " + std::strerror(errno));
    }
    const std::string fault = FaultOf(status, geteuid());
    if (!fault.empty()) {
      return Error(Code::kDenied,
                   "will not load " + file.string() + ": " + path.string() + " " + fault,
                   "chown it to root and chmod go-w it, or move the plugin");
    }
    if (path == path.parent_path()) return {};
  }
}

}  // namespace a4c::plugin
