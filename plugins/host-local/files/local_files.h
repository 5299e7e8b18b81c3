// Files and directories by descriptor, never through a link that someone else may have put there.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "a4c/result.h"

namespace a4c::local {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd();
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// kExhausted: no room or no inodes; kUnavailable: too many open files; else kInternal.
Error FileError(int error, const std::string& what);

// Made if it is not there.
Result<Fd> OpenDirectory(int parent, const std::string& name, unsigned mode);
// Nothing if it is not there.
Result<std::optional<Fd>> FindDirectory(int parent, const std::string& name);

// The file, or nothing if it is not there. At most 1 MiB.
Result<std::optional<std::string>> ReadFile(int directory, const std::string& name);
// Whole or not at all, and on disk before it returns.
Result<void> WriteFile(int directory, const std::string& name, const std::string& text);

// In order; what no unit can be called is left out. With a prefix: of what begins with it, the
// rest.
std::vector<std::string> UnitNamesIn(int directory, const std::string& prefix = "");

// Removes a directory and all below it, of any depth, never following a link and never leaving its
// file system. go_on is asked now and then; false ends it with kUnknownOutcome.
Result<void> RemoveTree(int parent, const std::string& name, const std::function<bool()>& go_on);

// What lies below a directory takes this much of the disk; nothing if go_on said no.
std::optional<int64_t> TreeBytes(int directory, const std::function<bool()>& go_on);

}  // namespace a4c::local
