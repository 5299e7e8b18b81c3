// HostStreams: commands with input over a connection that dockerd has given up speaking HTTP on,
// and TCP connections to a container's address.
#include <deque>
#include <utility>

#include "a4c/sinks.h"
#include "baremetal_servers.h"
#include "docker/docker_errors.h"
#include "docker/docker_frames.h"
#include "docker_exec.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kPieceBytes = 32u << 10;
constexpr int64_t kEndMs = 5'000;
constexpr int64_t kResizeAgainMs = 20;
constexpr int64_t kFirstResizeMs = 2'000;

// Marks a command and all that it starts, so that it can be found again in its container.
constexpr const char* kMark = "A4C_STREAM";

using From = StreamPiece::From;

std::string NewMark(Random& random) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string mark;
  for (const uint64_t number : {random.Next(), random.Next()}) {
    for (int shift = 60; shift >= 0; shift -= 4) mark += kDigits[number >> shift & 15];
  }
  return mark;
}

class BaremetalCommand final : public HostCommand {
 public:
  BaremetalCommand(const BaremetalServers& servers, std::shared_ptr<DockerServer> server,
                   DockerLink link, std::string unit, std::string exec, std::string mark,
                   bool terminal)
      : servers_(servers),
        server_(std::move(server)),
        link_(std::make_unique<DockerLink>(std::move(link))),
        unit_(std::move(unit)),
        exec_(std::move(exec)),
        mark_(std::move(mark)),
        terminal_(terminal) {}

  ~BaremetalCommand() override {
    link_.reset();
    if (ended_) return;
    const Call call = Call::Within(servers_.runtime.clock, kEndMs);
    const auto asked = AskToEnd(call);
    if (asked) return;
    servers_.runtime.log.Write(
        LogLevel::kWarning, "hosts", "a command whose user has gone could not be ended",
        {{"host", server_->id()}, {"unit", unit_}, {"error", asked.error().ToString()}});
  }

  Result<StreamWait> WaitFor(const Call& call, bool reading, bool writing) override {
    if (ended_ || (!pieces_.empty() && reading)) return StreamWait{.until_ms = 0};
    return (*link_)->channel().WaitFor(call.clock, reading, writing);
  }

  Result<StreamPiece> Read(const Call& call) override {
    // Until a frame is whole: what is left of it may have come already, and then no event tells of
    // it.
    bool came = true;
    while (came && pieces_.empty() && !ended_) {
      A4C_TRY(came, Fetch(call));
    }
    if (pieces_.empty()) return StreamPiece{ended_ ? From::kEnd : From::kNothing};
    StreamPiece piece = std::move(pieces_.front());
    pieces_.pop_front();
    return piece;
  }

  Result<size_t> Write(const Call&, std::string_view bytes) override {
    if (ended_) return bytes.size();
    return (*link_)->channel().WriteNow(bytes);
  }

  Result<bool> EndInput(const Call&) override {
    if (terminal_) return Error(Code::kUnsupported, "a terminal has no end of input");
    if (ended_) return true;
    return (*link_)->channel().EndNow();
  }

  Result<void> Resize(const Call& call, const TerminalSize& size) override {
    if (!terminal_) return Error(Code::kUnsupported, "the command has no terminal");
    A4C_TRY(DockerLink docker, server_->Open(call));
    const std::string target = "/exec/" + exec_ + "/resize?h=" + std::to_string(size.rows) +
                               "&w=" + std::to_string(size.columns);
    A4C_TRY(const DockerReply reply,
            docker->Exchange(call, {.method = "POST", .target = target, .effect = true}));
    if (reply.ok()) return {};
    return DockerError(reply.status, reply.body, true);
  }

  Result<int> Exit(const Call& call) override {
    link_.reset();
    A4C_TRY(DockerLink docker, server_->Open(call));
    return AwaitExecExit(call, servers_, *docker, exec_);
  }

  // The size that it begins with: dockerd takes none before the command runs.
  void FirstResize(const Call& call, const TerminalSize& size) {
    Call bounded = call;
    bounded.deadline_ms = std::min(call.deadline_ms, call.clock.MonotonicMs() + kFirstResizeMs);
    while (!Resize(bounded, size) && !bounded.Expired() && !bounded.Stopping()) {
      Waiter::Lock lock(*servers_.waiter);
      servers_.waiter->Wait(call.clock.MonotonicMs() + kResizeAgainMs);
    }
  }

 private:
  // True if bytes came.
  Result<bool> Fetch(const Call&) {
    A4C_TRY(const std::optional<std::string> bytes, (*link_)->ReadNow());
    if (!bytes) return false;
    ended_ = bytes->empty();
    if (ended_ && frames_.Within()) {
      ended_ = false;
      return Error(Code::kUnavailable, "the connection to the server broke");
    }
    if (ended_) return false;
    if (terminal_) {
      pieces_.push_back({From::kOutput, *bytes});
      return true;
    }
    A4C_TRY(auto parts, frames_.Add(*bytes));
    for (DockerFrame& part : parts) {
      pieces_.push_back({part.stream == 2 ? From::kErrors : From::kOutput, std::move(part.bytes)});
    }
    return true;
  }

  Result<void> AskToEnd(const Call& call) {
    A4C_TRY(DockerLink docker, server_->Open(call));
    return EndMarked(call, servers_, *docker, unit_, std::string(kMark) + "=" + mark_, false);
  }

  const BaremetalServers& servers_;
  const std::shared_ptr<DockerServer> server_;
  std::unique_ptr<DockerLink> link_;
  const std::string unit_;
  const std::string exec_;
  const std::string mark_;
  const bool terminal_;
  FrameReader frames_;
  std::deque<StreamPiece> pieces_;  // of one read of the connection
  bool ended_ = false;
};

class BaremetalPort final : public HostStream {
 public:
  BaremetalPort(std::shared_ptr<DockerServer> server, ChannelLink link)
      : server_(std::move(server)), link_(std::move(link)) {}

  Result<StreamWait> WaitFor(const Call& call, bool reading, bool writing) override {
    return link_.channel->WaitFor(call.clock, reading, writing);
  }
  Result<StreamPiece> Read(const Call&) override {
    std::string bytes(kPieceBytes, '\0');
    A4C_TRY(const std::optional<size_t> count, link_.channel->ReadNow(bytes.data(), bytes.size()));
    if (!count) return StreamPiece{};
    if (*count == 0) return StreamPiece{From::kEnd};
    bytes.resize(*count);
    return StreamPiece{From::kOutput, std::move(bytes)};
  }
  Result<size_t> Write(const Call&, std::string_view bytes) override {
    return link_.channel->WriteNow(bytes);
  }
  Result<bool> EndInput(const Call&) override { return link_.channel->EndNow(); }

 private:
  const std::shared_ptr<DockerServer> server_;
  ChannelLink link_;
};

class BaremetalStreams final : public HostStreams {
 public:
  explicit BaremetalStreams(BaremetalServers& servers) : servers_(servers) {}
  Result<std::unique_ptr<HostCommand>> OpenCommand(const Call& call,
                                                   const CommandRequest& request) override;
  Result<std::unique_ptr<HostStream>> OpenPort(const Call& call, const std::string& host,
                                               const std::string& unit, int port) override;

 private:
  BaremetalServers& servers_;
};

Result<std::unique_ptr<HostCommand>> BaremetalStreams::OpenCommand(const Call& call,
                                                                   const CommandRequest& request) {
  ExecRequest exec = request.exec;
  A4C_CHECK(CheckUnitName(exec.unit));
  A4C_CHECK(CheckCommand(exec.command, exec.env, exec.working_dir));
  if (exec.command.empty()) return Error(Code::kInvalid, "command is empty");
  const std::string mark = NewMark(servers_.runtime.random);
  exec.env[kMark] = mark;
  const bool terminal = request.terminal.has_value();
  A4C_TRY(std::shared_ptr<DockerServer> server, servers_.Find(call, exec.host));
  A4C_TRY(DockerLink docker, server->OpenForTerminal(call));
  A4C_TRY(std::string id,
          MakeExec(call, servers_, *docker, exec.unit, InteractiveExecBody(exec, terminal)));
  Json start;
  start.Set("Detach", false);
  start.Set("Tty", terminal);
  A4C_TRY(const int status, docker->Begin(call, {.method = "POST",
                                                 .target = "/exec/" + id + "/start",
                                                 .body = start.ToString(),
                                                 .effect = true,
                                                 .upgrade = true}));
  if (status != kSwitched) {
    A4C_TRY(const std::string body, docker->ReadAll(call));
    return DockerError(status, body, true);
  }
  auto command = std::make_unique<BaremetalCommand>(servers_, std::move(server), std::move(docker),
                                                    exec.unit, std::move(id), mark, terminal);
  if (terminal) command->FirstResize(call, *request.terminal);
  return std::unique_ptr<HostCommand>(std::move(command));
}

Result<std::unique_ptr<HostStream>> BaremetalStreams::OpenPort(const Call& call,
                                                               const std::string& host,
                                                               const std::string& unit, int port) {
  A4C_CHECK(CheckUnitName(unit));
  A4C_TRY(std::shared_ptr<DockerServer> server, servers_.Find(call, host));
  std::string address;
  {
    A4C_TRY(DockerLink docker, server->Open(call));
    A4C_TRY(const Container container, servers_.FindOurs(call, *docker, unit));
    if (!container.running) return Error(Code::kConflict, "unit " + unit + " is not running");
    address = container.address;
  }
  if (address.empty()) {
    return Error(Code::kUnsupported, "units of this server have no network of their own",
                 "set `network` of host-baremetal to a Docker network, for new units");
  }
  A4C_TRY(ChannelLink link, server->OpenPort(call, address, port));
  return std::unique_ptr<HostStream>(
      std::make_unique<BaremetalPort>(std::move(server), std::move(link)));
}

}  // namespace

std::unique_ptr<HostStreams> NewBaremetalStreams(BaremetalServers& servers) {
  return std::make_unique<BaremetalStreams>(servers);
}

}  // namespace a4c::baremetal
