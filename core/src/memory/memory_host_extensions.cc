#include <algorithm>
#include <charconv>
#include <set>

#include "memory/memory_host_images.h"
#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

constexpr int64_t kContextBytesMax = 64 << 20;
constexpr int64_t kStopCheckMs = 20;

class MemoryLogs final : public HostLogs {
 public:
  explicit MemoryLogs(MemoryHosts& hosts) : hosts_(hosts) {}
  Result<LogPage> Read(const Call& call, const std::string& host, const std::string& name,
                       const std::string& after, int64_t bytes_max) override;

 private:
  MemoryHosts& hosts_;
};

class MemoryLogTimes final : public HostLogTimes {
 public:
  explicit MemoryLogTimes(MemoryHosts& hosts) : hosts_(hosts) {}
  Result<std::string> PositionAt(const Call& call, const std::string& host, const std::string& name,
                                 int64_t time_ms) override;

 private:
  MemoryHosts& hosts_;
};

class MemoryExec final : public HostExec {
 public:
  explicit MemoryExec(MemoryHosts& hosts) : hosts_(hosts) {}
  Result<int> Run(const Call& call, const ExecRequest& request,
                  const std::function<void(std::string_view)>& output) override;

 private:
  bool WaitUntil(const Call& call, int64_t until_ms);

  MemoryHosts& hosts_;
};

class MemoryImages final : public HostImages {
 public:
  explicit MemoryImages(MemoryHosts& hosts) : hosts_(hosts) {}
  Result<ImageInfo> Build(const Call& call, const ImageBuild& build, const ByteSource& tar,
                          const Progress& progress) override;
  Result<std::vector<ImageInfo>> List(const Call& call, const std::string& host) override;

 private:
  MemoryHosts& hosts_;
};

Result<LogPage> MemoryLogs::Read(const Call& call, const std::string& host, const std::string& name,
                                 const std::string& after, int64_t bytes_max) {
  A4C_CHECK(CheckUnitName(name));
  if (bytes_max < 1) return Error(Code::kInvalid, "bytes_max is below 1");
  int64_t from = 0;
  const char* end = after.data() + after.size();
  if (!after.empty() && std::from_chars(after.data(), end, from).ptr != end) {
    return Error(Code::kInvalid, "after: not a position in a log");
  }
  Waiter::Lock lock(*hosts_.waiter);
  A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
  A4C_TRY(MemoryUnit * unit, hosts_.FindUnit(*server, name));
  const int64_t log_end = unit->log_start + static_cast<int64_t>(unit->log.size());
  from = std::clamp(from, unit->log_start, log_end);
  const int64_t size = std::min(bytes_max, log_end - from);
  return LogPage{
      unit->log.substr(static_cast<size_t>(from - unit->log_start), static_cast<size_t>(size)),
      std::to_string(from + size)};
}

Result<std::string> MemoryLogTimes::PositionAt(const Call& call, const std::string& host,
                                               const std::string& name, int64_t time_ms) {
  A4C_CHECK(CheckUnitName(name));
  Waiter::Lock lock(*hosts_.waiter);
  A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
  A4C_TRY(MemoryUnit * unit, hosts_.FindUnit(*server, name));
  const auto found =
      std::ranges::lower_bound(unit->log_times, time_ms, {}, &std::pair<int64_t, int64_t>::first);
  if (found != unit->log_times.end()) return std::to_string(found->second);
  return std::to_string(unit->log_start + static_cast<int64_t>(unit->log.size()));
}

// False if the call ended first.
bool MemoryExec::WaitUntil(const Call& call, int64_t until_ms) {
  while (call.clock.MonotonicMs() < until_ms) {
    if (call.Expired() || call.Stopping()) return false;
    const int64_t check_ms = call.clock.MonotonicMs() + kStopCheckMs;
    hosts_.waiter->Wait(std::min({until_ms, call.deadline_ms, check_ms}));
  }
  return true;
}

Result<int> MemoryExec::Run(const Call& call, const ExecRequest& request,
                            const std::function<void(std::string_view)>& output) {
  A4C_CHECK(CheckUnitName(request.unit));
  A4C_CHECK(CheckCommand(request.command, request.env, request.working_dir));
  if (request.command.empty()) return Error(Code::kInvalid, "command is empty");
  std::optional<FakeRun> run;
  int64_t started = 0;
  {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, request.host));
    A4C_TRY(MemoryUnit * unit, hosts_.FindUnit(*server, request.unit));
    if (unit->state != UnitState::kRunning) {
      return Error(Code::kConflict, "unit " + request.unit + " is not running");
    }
    run = PlanRun(request.command, request.env, request.working_dir, unit->files);
    started = call.clock.MonotonicMs();
  }
  if (!run) return 127;
  const Error killed(Code::kUnknownOutcome, "the command was started and killed before its end");
  const auto reached = [&](int64_t at_ms) {
    Waiter::Lock lock(*hosts_.waiter);
    return WaitUntil(call, at_ms == Waiter::kForever ? at_ms : started + at_ms);
  };
  for (const auto& piece : run->output) {
    if (!reached(piece.at_ms)) return killed;
    output(piece.text);
  }
  if (!reached(run->ends_ms)) return killed;
  return run->exit_code;
}

Result<ImageInfo> MemoryImages::Build(const Call& call, const ImageBuild& build,
                                      const ByteSource& tar, const Progress& progress) {
  A4C_CHECK(CheckImageBuild(build));
  if (build.tag == kFirstImage) {
    return Error(Code::kDenied,
                 "the server has an image " + build.tag + " that was not built here");
  }
  std::string context;
  while (true) {
    A4C_TRY(const std::string piece, tar());
    if (piece.empty()) break;
    context += piece;
    if (static_cast<int64_t>(context.size()) > kContextBytesMax) {
      return Error(Code::kInvalid, "the build context is larger than 64 MiB");
    }
  }
  std::set<std::string> known;
  {
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryServer * server, hosts_.Find(call, build.host));
    for (const auto& [name, image] : server->images) known.insert({name, image.digest});
  }
  const std::string salt =
      build.no_cache ? std::to_string(hosts_.runtime.random.Next()) : std::string();
  A4C_TRY(ImageInfo built, FakeBuild(build, context, salt, known, progress));
  Waiter::Lock lock(*hosts_.waiter);
  A4C_TRY(MemoryServer * server, hosts_.Find(call, build.host));
  Keep(*server, build.tag, built, hosts_.runtime.clock.MonotonicMs());
  return built;
}

Result<std::vector<ImageInfo>> MemoryImages::List(const Call& call, const std::string& host) {
  Waiter::Lock lock(*hosts_.waiter);
  A4C_TRY(MemoryServer * server, hosts_.Find(call, host));
  std::vector<ImageInfo> images;
  for (const auto& [tag, image] : server->images) {
    if (tag != kFirstImage) images.push_back(image);
  }
  return images;
}

}  // namespace

std::unique_ptr<HostLogs> NewMemoryLogs(MemoryHosts& hosts) {
  return std::make_unique<MemoryLogs>(hosts);
}
std::unique_ptr<HostLogTimes> NewMemoryLogTimes(MemoryHosts& hosts) {
  return std::make_unique<MemoryLogTimes>(hosts);
}
std::unique_ptr<HostExec> NewMemoryExec(MemoryHosts& hosts) {
  return std::make_unique<MemoryExec>(hosts);
}
std::unique_ptr<HostImages> NewMemoryImages(MemoryHosts& hosts) {
  return std::make_unique<MemoryImages>(hosts);
}

}  // namespace a4c::memory
