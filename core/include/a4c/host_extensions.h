// What some host providers can do besides running units: logs, commands inside units, and telling a
// restored store from the one they know. Asked for by host.As<HostLogs>(); null where the provider
// cannot. Images: host_images.h. All methods [any thread].
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/result.h"

namespace a4c {

struct LogPage {
  std::string bytes;  // stdout and stderr as they came, at most bytes_max of them
  std::string next;   // where the next page begins: opaque, also valid when the page was empty
};

class HostLogs {
 public:
  static constexpr std::string_view kExtension = "a4c.host_logs";
  virtual ~HostLogs() = default;
  // The unit's output from `after` (empty: what is still kept). Returns at once. A page of fewer
  // than bytes_max ends where the log ended at that moment: readers take it for the last one.
  virtual Result<LogPage> Read(const Call& call, const std::string& host, const std::string& name,
                               const std::string& after, int64_t bytes_max) = 0;
};

// Where in a log a time is, if the provider keeps the times of what units write.
class HostLogTimes {
 public:
  static constexpr std::string_view kExtension = "a4c.host_log_times";
  virtual ~HostLogTimes() = default;
  // The position for HostLogs::Read behind which is what the unit wrote at that time or later, in
  // milliseconds of UTC by the host's clock. That there is no such unit may be left to Read.
  virtual Result<std::string> PositionAt(const Call& call, const std::string& host,
                                         const std::string& name, int64_t time_ms) = 0;
};

struct ExecRequest {
  std::string host;
  std::string unit;
  std::vector<std::string> command;
  std::map<std::string, std::string> env = {};
  std::string working_dir = {};
};

class HostExec {
 public:
  static constexpr std::string_view kExtension = "a4c.host_exec";
  virtual ~HostExec() = default;
  // Runs a command inside a running unit and hands its output on as it comes [calling thread]; the
  // exit code. kUnknownOutcome: it was started and the connection was lost. At the deadline or on
  // stop the command is killed where the provider can.
  virtual Result<int> Run(const Call& call, const ExecRequest& request,
                          const std::function<void(std::string_view)>& output) = 0;
};

// Keeps a store that was restored from a backup, or cloned, from changing servers that have moved
// on. Store and host share a token that is rotated: the application commits the next one to the
// store first, then presents both. A store that went back presents what the host no longer knows.
//
// A host that was given a token refuses the effects (Ensure, Remove; kDenied) of whoever has not
// presented it. One that never was given any asks for none. Tokens are 16 to 128 letters and
// digits.
class HostIncarnation {
 public:
  static constexpr std::string_view kExtension = "a4c.host_incarnation";
  virtual ~HostIncarnation() = default;
  // The host knows this token from now on, whatever it knew before; empty: it asks for none any
  // more. An operator's decision, at enrolment, and never a program's.
  virtual Result<void> Adopt(const Call& call, const std::string& host,
                             const std::string& token) = 0;
  // Every instance, before its first effect on the host and after each rotation. The same again
  // changes nothing. kDenied: the host knows others, and effects of this instance are refused.
  virtual Result<void> Present(const Call& call, const std::string& host,
                               const std::string& current, const std::string& next) = 0;
};

}  // namespace a4c
