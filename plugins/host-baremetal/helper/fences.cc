#include "fences.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>

namespace a4c::helper {
namespace {

constexpr int kPollMs = 10;
constexpr size_t kFenceBytesMax = 152;

// The file may have been forgotten between opening and locking.
bool IsStillThere(int file, const std::string& path) {
  struct stat ours {};
  struct stat there {};
  return fstat(file, &ours) == 0 && lstat(path.c_str(), &there) == 0 &&
         ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

}  // namespace

// The number is first and of fixed width: written in place, no tear can make it lower.
std::string EncodeFence(const Fence& fence) {
  char number[24];
  std::snprintf(number, sizeof(number), "%020lld", static_cast<long long>(fence.epoch));
  return std::string(number) + " " + fence.claim + "\n";
}

Result<Fence> DecodeFence(std::string_view text) {
  Fence fence;
  const size_t end = text.find('\n');
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), fence.epoch);
  const auto digits = static_cast<size_t>(after - text.data());
  if (error != std::errc() || end == std::string_view::npos || digits + 1 > end ||
      text[digits] != ' ') {
    return Error(Code::kInternal, "the file of a fence is damaged");
  }
  fence.claim = text.substr(digits + 1, end - digits - 1);
  return fence;
}

Result<void> Admit(const std::string& unit, const Fence& fence, const Fence& highest) {
  const std::string number = std::to_string(highest.epoch);
  if (fence.epoch < highest.epoch) {
    return Error(Code::kConflict, "unit " + unit + ": epoch " + std::to_string(fence.epoch) +
                                      " is below the highest, " + number);
  }
  const bool told = !fence.claim.empty() && !highest.claim.empty();
  if (fence.epoch == highest.epoch && told && fence.claim != highest.claim) {
    return Error(Code::kConflict, "unit " + unit + ": epoch " + number +
                                      " is the highest, and another claim has it");
  }
  return {};
}

Result<UnitLock> UnitLock::Take(const std::string& directory, const std::string& unit,
                                int64_t timeout_ms) {
  const std::string path = directory + "/" + unit;
  for (int64_t waited_ms = 0; true; waited_ms += kPollMs) {
    Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return SystemError(errno, path);
    if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      if (IsStillThere(file.get(), path)) return UnitLock(directory, unit, std::move(file));
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return SystemError(errno, path);
    if (waited_ms >= timeout_ms) {
      return Error(Code::kUnavailable, "unit " + unit + " is being changed by somebody else");
    }
    poll(nullptr, 0, kPollMs);
  }
}

Result<std::optional<Fence>> UnitLock::Read() const {
  char text[kFenceBytesMax];
  const ssize_t count = pread(file_.get(), text, sizeof(text), 0);
  if (count < 0) return SystemError(errno, unit_);
  if (count == 0) return std::optional<Fence>();
  A4C_TRY(Fence fence, DecodeFence(std::string_view(text, static_cast<size_t>(count))));
  return std::optional(std::move(fence));
}

Result<void> UnitLock::Raise(const Fence& fence) const {
  A4C_TRY(const auto highest, Read());
  if (highest) {
    A4C_CHECK(Admit(unit_, fence, *highest));
    const bool known = fence.claim.empty() || !highest->claim.empty();
    if (fence.epoch == highest->epoch && known) return {};
  }
  const std::string text = EncodeFence(fence);
  const auto size = static_cast<ssize_t>(text.size());
  if (pwrite(file_.get(), text.data(), text.size(), 0) != size ||
      ftruncate(file_.get(), size) != 0 || fsync(file_.get()) != 0) {
    return SystemError(errno, unit_);
  }
  return highest ? Result<void>() : SyncDirectory(directory_);
}

void UnitLock::Touch() const {
  (void)futimens(file_.get(), nullptr);
}

void UnitLock::Forget() const {
  unlink((directory_ + "/" + unit_).c_str());
}

}  // namespace a4c::helper
