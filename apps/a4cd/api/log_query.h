// ?from=, ?tail= and ?since= of the routes that give logs.
#pragma once

#include <cstdint>

#include "a4c/result.h"
#include "apps/a4cd/api/http.h"
#include "apps/a4cd/jobs/log_start.h"

namespace a4cd {

inline constexpr int kLogLinesMax = 100'000;

// kInvalid: tail is no number of lines, since neither a duration nor a time, or from stands beside
// them, which is a position already.
a4c::Result<LogCut> ReadLogCut(const Request& request, int64_t now_ms);
// The same of a log whose lines have no times: since is kUnsupported.
a4c::Result<LogCut> ReadLineCut(const Request& request);

}  // namespace a4cd
