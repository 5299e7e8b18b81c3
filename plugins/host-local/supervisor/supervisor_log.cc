#include "supervisor/supervisor_log.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace a4c::local {
namespace {

constexpr std::string_view kPrefix = "log.";

std::vector<int64_t> SegmentsIn(int directory) {
  std::vector<int64_t> starts;
  DIR* list = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (list == nullptr) return starts;
  while (const dirent* entry = readdir(list)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix)) continue;
    int64_t start = 0;
    const char* end = name.data() + name.size();
    if (std::from_chars(name.data() + kPrefix.size(), end, start).ptr == end) {
      starts.push_back(start);
    }
  }
  closedir(list);
  return starts;
}

std::string NameOf(int64_t start) {
  return std::string(kPrefix) + std::to_string(start);
}

}  // namespace

SegmentLog::SegmentLog(int directory, int64_t bytes_max)
    : directory_(directory), segment_bytes_max_(std::max<int64_t>(bytes_max / 2, 1)) {
  const std::vector<int64_t> starts = SegmentsIn(directory);
  Open(starts.empty() ? 0 : *std::ranges::max_element(starts));
}

SegmentLog::~SegmentLog() {
  if (fd_ >= 0) close(fd_);
}

void SegmentLog::Open(int64_t start) {
  if (fd_ >= 0) close(fd_);
  fd_ = openat(directory_, NameOf(start).c_str(),
               O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  start_ = start;
  struct stat status {};
  size_ = fd_ >= 0 && fstat(fd_, &status) == 0 ? status.st_size : 0;
}

void SegmentLog::RemoveBefore(int64_t start) {
  for (const int64_t old : SegmentsIn(directory_)) {
    if (old < start) unlinkat(directory_, NameOf(old).c_str(), 0);
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
