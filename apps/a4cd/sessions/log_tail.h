// The last lines of a workspace's log. Providers give a log from its beginning alone, so that it is
// read whole for them.
#pragma once

#include <cstdint>
#include <string>

#include "a4c/host_extensions.h"

namespace a4cd {

inline constexpr int64_t kLogTailBytesMax = 512 << 10;  // of the lines, the last ones
inline constexpr int64_t kLogTailReadMax = 64 << 20;    // of the log

// They, of what is behind the position `from`, and where the log goes on. kUnsupported: that is
// more than kLogTailReadMax.
a4c::Result<a4c::LogPage> ReadLogTail(const a4c::Call& call, a4c::HostLogs& logs,
                                      const std::string& host, const std::string& unit,
                                      const std::string& from, int64_t lines);

}  // namespace a4cd
