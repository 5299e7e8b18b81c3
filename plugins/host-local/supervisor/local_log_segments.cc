#include "supervisor/local_log_segments.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace a4c::local {
namespace {

constexpr std::string_view kPrefix = "log.";

}  // namespace

std::string LogSegmentName(int64_t start) {
  return std::string(kPrefix) + std::to_string(start);
}

std::vector<int64_t> LogSegmentsIn(int directory) {
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
  std::ranges::sort(starts);
  return starts;
}

}  // namespace a4c::local
