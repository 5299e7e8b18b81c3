#include "files/local_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "a4c/host_provider.h"

namespace a4c::local {
namespace {

constexpr size_t kFileBytesMax = 1u << 20;
constexpr int kDepthMax = 64;  // descriptors open at a time
constexpr int kMoveAttemptsMax = 10'000;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int64_t kBlockBytes = 512;  // st_blocks is counted in these

// Names in a directory; its position is rewound.
std::vector<std::string> NamesIn(int directory) {
  std::vector<std::string> names;
  DIR* list = fdopendir(openat(directory, ".", kOpenDirectory));
  if (list == nullptr) return names;
  while (const dirent* entry = readdir(list)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(list);
  return names;
}

// Removes what is below a directory. A directory at the deepest level is moved up to the root of
// the tree and removed from there, so that no depth needs more descriptors.
class TreeRemoval {
 public:
  TreeRemoval(int root, dev_t device, const std::function<bool()>& go_on)
      : root_(root), device_(device), go_on_(go_on) {}

  Result<void> Run() {
    // Each pass takes what was moved up by the one before.
    do {
      moved_ = false;
      A4C_CHECK(Empty(root_, 0));
    } while (moved_);
    return {};
  }

 private:
  Result<void> Empty(int directory, int depth) {
    for (const std::string& name : NamesIn(directory)) {
      if (!go_on_()) return Error(Code::kUnknownOutcome, "removing files took too long");
      if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) continue;
      if (errno != EISDIR && errno != EPERM && errno != EACCES) return FileError(errno, name);
      A4C_CHECK(RemoveDirectory(directory, name, depth));
    }
    return {};
  }

  Result<void> RemoveDirectory(int parent, const std::string& name, int depth) {
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES) return FileError(errno, name);
    if (depth >= kDepthMax) return MoveUp(parent, name);
    Fd directory(openat(parent, name.c_str(), kOpenDirectory));
    if (!directory && errno == EACCES) {
      // Owned by us but closed by the unit. A link here would not be a directory to open.
      fchmodat(parent, name.c_str(), 0700, 0);
      directory = Fd(openat(parent, name.c_str(), kOpenDirectory));
    }
    if (!directory) return FileError(errno, name);
    struct stat status {};
    if (fstat(directory.get(), &status) != 0 || status.st_dev != device_) {
      return Error(Code::kConflict, name + " is another file system, mounted into the unit",
                   "unmount it");
    }
    if ((status.st_mode & 0700) != 0700) fchmod(directory.get(), 0700);
    A4C_CHECK(Empty(directory.get(), depth + 1));
    if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    return FileError(errno, name);
  }

  Result<void> MoveUp(int parent, const std::string& name) {
    // The unit may have put something of that name there itself.
    for (int attempt = 0; attempt < kMoveAttemptsMax; ++attempt) {
      const std::string target = ".deep." + std::to_string(count_++);
      if (renameat(parent, name.c_str(), root_, target.c_str()) == 0) {
        moved_ = true;
        return {};
      }
      if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) break;
    }
    return FileError(errno, name);
  }

  const int root_;
  const dev_t device_;
  const std::function<bool()>& go_on_;
  bool moved_ = false;
  int64_t count_ = 0;
};

bool AddTreeBytes(int directory, int depth, const std::function<bool()>& go_on, int64_t& bytes) {
  for (const std::string& name : NamesIn(directory)) {
    if (!go_on()) return false;
    struct stat status {};
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    bytes += int64_t{status.st_blocks} * kBlockBytes;
    if (!S_ISDIR(status.st_mode) || depth >= kDepthMax) continue;
    const Fd below(openat(directory, name.c_str(), kOpenDirectory));
    if (below && !AddTreeBytes(below.get(), depth + 1, go_on, bytes)) return false;
  }
  return true;
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

Error FileError(int error, const std::string& what) {
  const std::string text = what + ": " + std::strerror(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return Error(Code::kExhausted, text, "free space on the server's disk");
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return Error(Code::kUnavailable, text);
    case EACCES:
    case EPERM:
    case EROFS:
      return Error(Code::kDenied, text, "is the server's directory still ours to write?");
    case ENOENT:
      return Error(Code::kNotFound, text);
    default:
      return Error(Code::kInternal, text);
  }
}

Result<Fd> OpenDirectory(int parent, const std::string& name, unsigned mode) {
  if (mkdirat(parent, name.c_str(), mode) != 0 && errno != EEXIST) return FileError(errno, name);
  Fd directory(openat(parent, name.c_str(), kOpenDirectory));
  if (!directory) return FileError(errno, name);
  return directory;
}

Result<std::optional<Fd>> FindDirectory(int parent, const std::string& name) {
  Fd directory(openat(parent, name.c_str(), kOpenDirectory));
  if (directory) return std::optional<Fd>(std::move(directory));
  if (errno == ENOENT) return std::optional<Fd>();
  return FileError(errno, name);
}

Result<std::optional<std::string>> ReadFile(int directory, const std::string& name) {
  const Fd file(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file) return FileError(errno, name);
  std::string text(kFileBytesMax, '\0');
  const ssize_t count = read(file.get(), text.data(), text.size());
  if (count < 0) return FileError(errno, name);
  text.resize(static_cast<size_t>(count));
  return std::optional<std::string>(std::move(text));
}

Result<void> WriteFile(int directory, const std::string& name, const std::string& text) {
  const std::string part = name + ".new";
  const Fd file(
      openat(directory, part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return FileError(errno, name);
  const ssize_t written = write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    return FileError(written < 0 ? errno : ENOSPC, name);
  }
  if (fsync(file.get()) != 0 || renameat(directory, part.c_str(), directory, name.c_str()) != 0 ||
      fsync(directory) != 0) {
    return FileError(errno, name);
  }
  return {};
}

std::vector<std::string> UnitNamesIn(int directory, const std::string& prefix) {
  std::vector<std::string> names;
  for (const std::string& name : NamesIn(directory)) {
    if (!name.starts_with(prefix)) continue;
    std::string rest = name.substr(prefix.size());
    if (CheckUnitName(rest)) names.push_back(std::move(rest));
  }
  std::ranges::sort(names);
  return names;
}

Result<void> RemoveTree(int parent, const std::string& name, const std::function<bool()>& go_on) {
  A4C_TRY(const auto root, FindDirectory(parent, name));
  if (!root) return {};
  struct stat status {};
  if (fstat(root->get(), &status) != 0) return FileError(errno, name);
  A4C_CHECK(TreeRemoval(root->get(), status.st_dev, go_on).Run());
  if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) return FileError(errno, name);
  return {};
}

std::optional<int64_t> TreeBytes(int directory, const std::function<bool()>& go_on) {
  int64_t bytes = 0;
  if (!AddTreeBytes(directory, 0, go_on, bytes)) return std::nullopt;
  return bytes;
}

}  // namespace a4c::local
