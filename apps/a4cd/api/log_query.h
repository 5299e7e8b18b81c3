// ?from=, ?tail= and ?since= of the routes that give logs.
#pragma once

#include <cstdint>
#include <string>

#include "a4c/host_provider.h"
#include "a4c/result.h"
#include "apps/a4cd/api/http.h"
#include "apps/a4cd/jobs/log_start.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

inline constexpr int kLogLinesMax = 100'000;

// kInvalid: tail is no number of lines, since neither a duration nor a time, or from stands beside
// them, which is a position already.
a4c::Result<LogCut> ReadLogCut(const Request& request, int64_t now_ms);

// The position in the log of a workspace that since or from stands for, "" if neither is there.
// kUnsupported: since, and the host provider keeps no times.
a4c::Result<std::string> FindUnitLogStart(const a4c::Call& call, a4c::HostProvider& hosts,
                                          const Workspace& workspace, const Request& request,
                                          const LogCut& cut);

}  // namespace a4cd
