// The log of a4cd: one JSON object per event and line, written by spdlog.
//
//   {"time":"2026-11-22T19:03:21.123Z","level":"info","component":"api","event":"listening","port":"7070"}
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/result.h"
#include "a4c/sinks.h"

namespace a4cd {

// What a level may be called.
std::vector<std::string_view> LogLevelNames();

// level: debug, info, warning or error. file: a path, or "-" for standard error. [any thread]
a4c::Result<std::unique_ptr<a4c::LogSink>> NewJsonLog(const std::string& level,
                                                      const std::string& file);

}  // namespace a4cd
