#include "apps/a4c/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace a4c_cli {

using a4c::Code;
using a4c::Error;
using a4c::Result;

Result<void> WriteWhole(const std::string& path, std::string_view bytes) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  const std::string target = error ? path : real.string();
  std::filesystem::create_directories(std::filesystem::path(target).parent_path(), error);
  const std::string fresh = target + ".new";
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Error(Code::kInvalid, fresh + " cannot be written");
  const bool written =
      write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && fsync(fd) == 0;
  close(fd);
  if (written && std::rename(fresh.c_str(), target.c_str()) == 0) return {};
  return Error(Code::kInvalid, path + " cannot be written");
}

}  // namespace a4c_cli
