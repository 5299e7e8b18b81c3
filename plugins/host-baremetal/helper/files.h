// Files and directories as the helper needs them: owned descriptors, durable writes, bounded reads.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "a4c/result.h"

namespace a4c::helper {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

// "open /x: No space left on device", by errno: a full disk is kExhausted, the rest kUnavailable.
Error SystemError(int error, const std::string& what);

Result<void> MakeDirectories(const std::string& path, unsigned mode);
// Nothing if there is no such file. Not more than bytes_max of it.
Result<std::optional<std::string>> ReadFile(const std::string& path, size_t bytes_max);
// Another one under the same name, whole or not at all, on disk when it returns.
Result<void> ReplaceFile(const std::string& path, std::string_view text, unsigned mode);
Result<void> SyncDirectory(const std::string& path);
std::vector<std::string> NamesIn(const std::string& path);

// Letters, digits and after the first "_", "." and "-": fit for one segment of a path.
bool IsName(std::string_view text);
bool IsPlainPath(std::string_view text);

// Runs a program with these arguments and no shell; what it says goes into the error. An exit code
// up to code_max is success.
Result<void> RunProgram(const std::vector<std::string>& arguments, int code_max = 0);

}  // namespace a4c::helper
