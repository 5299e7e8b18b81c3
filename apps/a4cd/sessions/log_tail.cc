#include "apps/a4cd/sessions/log_tail.h"

#include <algorithm>
#include <utility>

#include "apps/a4cd/jobs/log_start.h"

namespace a4cd {

using a4c::Result;

namespace {

constexpr int64_t kPageBytesMax = 1 << 20;

// A line of which only the end is there is left out, unless it is all that there is.
size_t WholeLine(const std::string& text) {
  const size_t end = text.find('\n');
  return end == std::string::npos || end + 1 == text.size() ? 0 : end + 1;
}

}  // namespace

Result<a4c::LogPage> ReadLogTail(const a4c::Call& call, a4c::HostLogs& logs,
                                 const std::string& host, const std::string& unit,
                                 const std::string& from, int64_t lines) {
  a4c::LogPage tail{.bytes = {}, .next = from};
  bool is_cut = false;
  bool is_full = true;
  for (int64_t pages = kLogTailReadMax / kPageBytesMax; pages > 0; --pages) {
    A4C_TRY(a4c::LogPage page, logs.Read(call, host, unit, tail.next, kPageBytesMax));
    // One that is not full was the end at that moment; a log that grows all the time has no other.
    is_full = static_cast<int64_t>(page.bytes.size()) >= kPageBytesMax;
    tail.next = std::move(page.next);
    if (page.bytes.empty()) break;
    tail.bytes += page.bytes;
    const auto size = static_cast<int64_t>(tail.bytes.size());
    if (size > kLogTailBytesMax) {
      tail.bytes.erase(0, static_cast<size_t>(size - kLogTailBytesMax));
      is_cut = true;
    }
  }
  if (is_full) {
    return a4c::Error(a4c::Code::kUnsupported,
                      "the log is too long for its last lines to be looked for: more than " +
                          std::to_string(kLogTailReadMax >> 20) + " MiB",
                      "leave tail out");
  }
  const auto start = LastLines(lines).Add(tail.bytes);
  tail.bytes.erase(0, start.value_or(is_cut ? WholeLine(tail.bytes) : 0));
  return tail;
}

}  // namespace a4cd
