// What some host providers can do besides running units: logs, commands inside units, images.
// Asked for by host.As<HostLogs>(); null where the provider cannot. All methods [any thread].
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
  // The unit's output from `after` (empty: what is still kept). Returns at once.
  virtual Result<LogPage> Read(const Call& call, const std::string& host, const std::string& name,
                               const std::string& after, int64_t bytes_max) = 0;
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

// Gives the next piece of a byte stream, empty at its end.
using ByteSource = std::function<Result<std::string>()>;

struct ImageInfo {
  std::string tag;
  std::string digest;  // sha256:...
  int64_t size_bytes = 0;
};

class HostImages {
 public:
  static constexpr std::string_view kExtension = "a4c.host_images";
  virtual ~HostImages() = default;
  // Builds a tar context (Dockerfile at its root) on this host, without network; build messages go
  // to `progress`. kInvalid: the build itself failed, the message is the builder's last line.
  virtual Result<ImageInfo> Build(const Call& call, const std::string& host, const std::string& tag,
                                  const ByteSource& tar,
                                  const std::function<void(std::string_view)>& progress) = 0;
  virtual Result<std::vector<ImageInfo>> List(const Call& call, const std::string& host) = 0;
  // Removes images of ours that no unit uses and that are not in keep; the bytes given back.
  virtual Result<int64_t> Prune(const Call& call, const std::string& host,
                                const std::vector<std::string>& keep) = 0;
};

}  // namespace a4c
