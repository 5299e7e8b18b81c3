#include "supervisor/supervisor_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/local_log_segments.h"

namespace a4c::local {
SegmentLog::SegmentLog(int directory, int64_t bytes_max)
    : directory_(directory), segment_bytes_max_(std::max<int64_t>(bytes_max / 2, 1)) {
  const std::vector<int64_t> starts = LogSegmentsIn(directory);
  Open(starts.empty() ? 0 : starts.back());
}

SegmentLog::~SegmentLog() {
  if (fd_ >= 0) close(fd_);
}

void SegmentLog::Open(int64_t start) {
  if (fd_ >= 0) close(fd_);
  fd_ = openat(directory_, LogSegmentName(start).c_str(),
               O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  start_ = start;
  struct stat status {};
  size_ = fd_ >= 0 && fstat(fd_, &status) == 0 ? status.st_size : 0;
}

void SegmentLog::RemoveBefore(int64_t start) {
  for (const int64_t old : LogSegmentsIn(directory_)) {
    if (old < start) unlinkat(directory_, LogSegmentName(old).c_str(), 0);
  }
}

void SegmentLog::Write(std::string_view bytes) {
  while (!bytes.empty() && fd_ >= 0) {
    if (size_ >= segment_bytes_max_) {
      RemoveBefore(start_);
      Open(start_ + size_);
      continue;
    }
    const size_t part = std::min(bytes.size(), static_cast<size_t>(segment_bytes_max_ - size_));
    const ssize_t written = write(fd_, bytes.data(), part);
    if (written <= 0) return;
    size_ += written;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace a4c::local
