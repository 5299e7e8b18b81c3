#include "files/local_disk.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

namespace a4c::local {

Result<DiskFigures> MeasureDisk(int directory, int64_t size_bytes,
                                const std::function<bool()>& go_on) {
  struct statvfs whole {};
  if (fstatvfs(directory, &whole) != 0) return FileError(errno, "statvfs");
  const auto block = static_cast<int64_t>(whole.f_frsize);
  const auto available = static_cast<int64_t>(whole.f_bavail) * block;
  if (size_bytes == 0) {
    const int64_t total = static_cast<int64_t>(whole.f_blocks) * block;
    return DiskFigures{total, total - static_cast<int64_t>(whole.f_bfree) * block, available};
  }
  const auto used = TreeBytes(directory, go_on);
  if (!used) return Error(Code::kTimeout, "measuring the directory took too long");
  // The size is a promise of ours; the file system below it may be fuller.
  const int64_t shown = std::min(*used, size_bytes);
  return DiskFigures{size_bytes, shown, std::min(size_bytes - shown, available)};
}

}  // namespace a4c::local
