// HostLogs: a position is the number of bytes that were written before it, whatever has gone since.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "supervisor/local_log_segments.h"
#include "units/local_servers.h"

namespace a4c::local {
namespace {

constexpr int64_t kPageBytesMax = 1 << 20;

Result<std::string> ReadFrom(int directory, int64_t start, int64_t offset, int64_t bytes_max) {
  const std::string name = LogSegmentName(start);
  const Fd file(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return FileError(errno, name);
  std::string bytes(static_cast<size_t>(bytes_max), '\0');
  const ssize_t count = pread(file.get(), bytes.data(), bytes.size(), offset);
  if (count < 0) return FileError(errno, name);
  bytes.resize(static_cast<size_t>(count));
  return bytes;
}

class LocalLogs final : public HostLogs {
 public:
  explicit LocalLogs(LocalServers& servers) : servers_(servers) {}

  Result<LogPage> Read(const Call& call, const std::string& host, const std::string& name,
                       const std::string& after, int64_t bytes_max) override {
    A4C_CHECK(CheckUnitName(name));
    if (bytes_max < 1) return Error(Code::kInvalid, "bytes_max is below 1");
    int64_t at = 0;
    const char* end = after.data() + after.size();
    if (!after.empty() && (std::from_chars(after.data(), end, at).ptr != end || at < 0)) {
      return Error(Code::kInvalid, "after: not a position in a log");
    }
    A4C_TRY(const LocalUnit unit, servers_.FindUnit(call, host, name));
    LogPage page;
    const int64_t left_max = std::min(bytes_max, kPageBytesMax);
    for (const int64_t start : LogSegmentsIn(unit.directory.get())) {
      const int64_t left = left_max - static_cast<int64_t>(page.bytes.size());
      const int64_t from = std::max(at, start);
      if (left == 0) break;
      auto bytes = ReadFrom(unit.directory.get(), start, from - start, left);
      if (!bytes && bytes.error().code() == Code::kNotFound) continue;  // rotated away just now
      if (!bytes) return bytes.error();
      if (bytes->empty()) continue;
      page.bytes += *bytes;
      at = from + static_cast<int64_t>(bytes->size());
    }
    page.next = std::to_string(at);
    return page;
  }

 private:
  LocalServers& servers_;
};

}  // namespace

std::unique_ptr<HostLogs> NewLocalLogs(LocalServers& servers) {
  return std::make_unique<LocalLogs>(servers);
}

}  // namespace a4c::local
