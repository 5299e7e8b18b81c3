#include "files/local_copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "files/local_files.h"

namespace a4c::local {
namespace {

constexpr int kDepthMax = 64;  // two descriptors are open for each
constexpr size_t kPieceBytes = 1u << 20;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Owner first: changing it takes set-user-ID bits away, which the mode brings back.
Result<void> DressLike(int file, const struct stat& status, const std::string& name) {
  const bool is_same = geteuid() != 0 || fchown(file, status.st_uid, status.st_gid) == 0;
  const timespec times[] = {status.st_atim, status.st_mtim};
  if (is_same && fchmod(file, status.st_mode & 07777) == 0 && futimens(file, times) == 0) return {};
  return FileError(errno, name);
}

class TreeCopy {
 public:
  explicit TreeCopy(const std::function<bool()>& go_on) : go_on_(go_on) {}

  Result<void> Below(int from, int to, int depth) {
    if (depth > kDepthMax) return Error(Code::kInvalid, "the files are nested too deep");
    A4C_TRY(const std::vector<std::string> names, NamesIn(from));
    for (const std::string& name : names) {
      A4C_CHECK(GoOn());
      A4C_CHECK(One(from, to, name, depth));
    }
    return {};
  }
  int64_t bytes() const { return bytes_; }

 private:
  Result<void> GoOn() const {
    if (go_on_()) return {};
    return Error(Code::kUnknownOutcome, "copying files took too long");
  }

  static Result<std::vector<std::string>> NamesIn(int directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> list(
        fdopendir(openat(directory, ".", kOpenDirectory)), closedir);
    if (!list) return FileError(errno, "a directory");
    std::vector<std::string> names;
    while (const dirent* entry = readdir(list.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    return names;
  }

  Result<void> One(int from, int to, const std::string& name, int depth) {
    struct stat status {};
    if (fstatat(from, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return FileError(errno, name);
    }
    if (!S_ISDIR(status.st_mode) && unlinkat(to, name.c_str(), 0) != 0 && errno != ENOENT) {
      return FileError(errno, name);
    }
    if (S_ISDIR(status.st_mode)) return Directory(from, to, name, depth);
    if (S_ISREG(status.st_mode)) return File(from, to, name);
    if (S_ISLNK(status.st_mode)) return Link(from, to, name, status);
    if (S_ISFIFO(status.st_mode) && mkfifoat(to, name.c_str(), status.st_mode & 0777) != 0) {
      return FileError(errno, name);
    }
    return {};
  }

  // Its mode and times come last: what is put into it would change them, or could not be.
  Result<void> Directory(int from, int to, const std::string& name, int depth) {
    const Fd source(openat(from, name.c_str(), kOpenDirectory));
    if (!source) return FileError(errno, name);
    A4C_TRY(const Fd target, OpenDirectory(to, name, 0700));
    A4C_CHECK(Below(source.get(), target.get(), depth + 1));
    struct stat status {};
    if (fstat(source.get(), &status) != 0) return FileError(errno, name);
    return DressLike(target.get(), status, name);
  }

  Result<void> File(int from, int to, const std::string& name) {
    const Fd source(openat(from, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!source) return FileError(errno, name);
    struct stat status {};
    if (fstat(source.get(), &status) != 0) return FileError(errno, name);
    const Fd target(
        openat(to, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!target) return FileError(errno, name);
    while (true) {
      A4C_CHECK(GoOn());
      const ssize_t count =
          copy_file_range(source.get(), nullptr, target.get(), nullptr, kPieceBytes, 0);
      if (count < 0) return FileError(errno, name);
      if (count == 0) break;
      bytes_ += count;
    }
    return DressLike(target.get(), status, name);
  }

  static Result<void> Link(int from, int to, const std::string& name, const struct stat& status) {
    std::string goal(PATH_MAX, '\0');
    const ssize_t size = readlinkat(from, name.c_str(), goal.data(), goal.size());
    if (size < 0) return FileError(errno, name);
    goal.resize(static_cast<size_t>(size));
    const bool is_made = symlinkat(goal.c_str(), to, name.c_str()) == 0 &&
                         (geteuid() != 0 || fchownat(to, name.c_str(), status.st_uid, status.st_gid,
                                                     AT_SYMLINK_NOFOLLOW) == 0);
    if (!is_made) return FileError(errno, name);
    return {};
  }

  const std::function<bool()>& go_on_;
  int64_t bytes_ = 0;
};

}  // namespace

Result<int64_t> CopyTree(int from, int to, const std::function<bool()>& go_on) {
  TreeCopy copy(go_on);
  A4C_CHECK(copy.Below(from, to, 0));
  return copy.bytes();
}

}  // namespace a4c::local
