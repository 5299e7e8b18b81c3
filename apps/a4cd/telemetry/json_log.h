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

class JsonLog : public a4c::LogSink {
 public:
  using a4c::LogSink::Write;
  // Goes on in a new file of the same path, for whoever has moved the old one away, and says so;
  // with standard error it only says so. If it cannot be opened the old one is kept. [any thread]
  virtual void Reopen() = 0;
};

// level: debug, info, warning or error. file: a path, or "-" for standard error. [any thread]
a4c::Result<std::unique_ptr<JsonLog>> NewJsonLog(const std::string& level, const std::string& file);

}  // namespace a4cd
