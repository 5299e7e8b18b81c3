#include "files/local_epochs.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

namespace a4c::local {
namespace {

constexpr size_t kFenceBytesMax = 152;  // a number, a claim, a space and an end of line

// The file may have been pruned between opening and locking.
bool IsStillThere(int directory, const std::string& name, const Fd& file) {
  struct stat ours {};
  struct stat there {};
  return fstat(file.get(), &ours) == 0 &&
         fstatat(directory, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
         ours.st_ino == there.st_ino;
}

}  // namespace

Result<UnitEpochs> UnitEpochs::Open(int root) {
  A4C_TRY(Fd directory, OpenDirectory(root, "epochs", 0700));
  return UnitEpochs(std::move(directory));
}

Result<std::optional<Fd>> UnitEpochs::Lock(const std::string& name,
                                           const std::function<bool()>& pause) const {
  while (true) {
    Fd file(
        openat(directory_.get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return FileError(errno, "epochs/" + name);
    while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) return FileError(errno, "epochs/" + name);
      if (!pause()) return std::optional<Fd>();
    }
    if (IsStillThere(directory_.get(), name, file)) return std::optional(std::move(file));
  }
}

Result<std::optional<Fence>> UnitEpochs::HighestIn(const Fd& locked) {
  char text[kFenceBytesMax + 1] = {};
  const ssize_t count = pread(locked.get(), text, sizeof(text) - 1, 0);
  if (count < 0) return FileError(errno, "epoch");
  if (count == 0) return std::optional<Fence>();
  int64_t epoch = 0;
  const auto [end, error] = std::from_chars(text, text + count, epoch);
  const char* line_end = std::find(text, text + count, '\n');
  const bool whole = error == std::errc() && line_end != text + count && end <= line_end;
  if (!whole) return Error(Code::kInternal, "a file in epochs is damaged");
  const std::string claim(*end == ' ' ? end + 1 : end, line_end);
  return std::optional(Fence(epoch, claim));
}

// In place, because the lock is on this very file: the number is of fixed width and first, so that
// a torn write cannot make it lower.
Result<void> UnitEpochs::Raise(const Fd& locked, const std::string& name,
                               const Fence& fence) const {
  A4C_TRY(const auto highest, HighestIn(locked));
  if (highest) {
    A4C_CHECK(Admit(name, fence, *highest));
    if (fence.epoch == highest->epoch && !highest->claim.empty()) return {};
  }
  char text[kFenceBytesMax + 1];
  const int size = std::snprintf(text, sizeof(text), "%020lld %s\n",
                                 static_cast<long long>(fence.epoch), fence.claim.c_str());
  if (pwrite(locked.get(), text, static_cast<size_t>(size), 0) != size ||
      ftruncate(locked.get(), size) != 0 || fsync(locked.get()) != 0 ||
      (!highest && fsync(directory_.get()) != 0)) {
    return FileError(errno, "epochs/" + name);
  }
  return {};
}

int64_t UnitEpochs::EpochOf(const std::string& name) const {
  const Fd file(openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return 0;
  const auto fence = HighestIn(file);
  return fence && *fence ? (*fence)->epoch : 0;
}

void UnitEpochs::Prune(int64_t now_ms, int64_t kept_ms,
                       const std::function<bool(const std::string&)>& there) const {
  for (const std::string& name : UnitNamesIn(directory_.get())) {
    struct stat status {};
    if (fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (now_ms - int64_t{status.st_mtime} * 1000 < kept_ms) continue;
    const Fd file(openat(directory_.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!file || flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (!there(name)) unlinkat(directory_.get(), name.c_str(), 0);
  }
}

}  // namespace a4c::local
