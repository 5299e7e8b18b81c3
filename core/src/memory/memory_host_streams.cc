// HostStreams of pretended units: `cat` and the port of a unit give back what they are given, and
// other commands do what PlanRun knows, whatever their input.
#include <algorithm>

#include "memory/memory_host_state.h"

namespace a4c::memory {
namespace {

constexpr size_t kPipeBytes = 64u << 10;
constexpr int64_t kStopCheckMs = 20;
constexpr int kKilled = 128 + 9;
constexpr char kEndOfTransmission = '\x04';

using From = StreamPiece::From;

// A unit that something runs in; nobody tells us when it stops.
struct UnitRef {
  Result<MemoryUnit*> FindRunning(const Call& call) const {
    A4C_TRY(MemoryServer * server, hosts.Find(call, host));
    A4C_TRY(MemoryUnit * unit, hosts.FindUnit(*server, name));
    if (unit->state == UnitState::kRunning) return unit;
    return Error(Code::kConflict, "unit " + name + " is not running");
  }
  bool Runs(const Call& call) const {
    Waiter::Lock lock(*hosts.waiter);
    return FindRunning(call).has_value();
  }

  MemoryHosts& hosts;
  const std::string host;
  const std::string name;
};

// What is written can be read, as much as a pipe holds.
class Echo {
 public:
  size_t Write(std::string_view bytes) {
    const size_t taken = std::min(bytes.size(), kPipeBytes - held_.size());
    held_ += bytes.substr(0, taken);
    return taken;
  }
  StreamPiece Read() {
    if (held_.empty()) return {ended_ ? From::kEnd : From::kNothing};
    return {From::kOutput, std::exchange(held_, {})};
  }
  void End() { ended_ = true; }
  const std::string& held() const { return held_; }

 private:
  std::string held_;
  bool ended_ = false;
};

class MemoryPort final : public HostStream {
 public:
  explicit MemoryPort(UnitRef unit) : unit_(std::move(unit)) {}
  Result<StreamWait> WaitFor(const Call& call, bool, bool) override {
    return StreamWait{.until_ms = call.clock.MonotonicMs() + kStopCheckMs};
  }
  Result<StreamPiece> Read(const Call& call) override {
    if (!unit_.Runs(call)) echo_.End();
    return echo_.Read();
  }
  Result<size_t> Write(const Call&, std::string_view bytes) override { return echo_.Write(bytes); }
  Result<bool> EndInput(const Call&) override {
    echo_.End();
    return true;
  }

 private:
  const UnitRef unit_;
  Echo echo_;
};

class MemoryCommand final : public HostCommand {
 public:
  MemoryCommand(UnitRef unit, const CommandRequest& request, FakeFiles& files, int64_t now_ms)
      : unit_(std::move(unit)), terminal_(request.terminal), started_ms_(now_ms) {
    const auto& command = request.exec.command;
    cat_ = command.front() == "cat";
    if (cat_) return;
    std::map<std::string, std::string> env = request.exec.env;
    if (terminal_) {
      env[kTerminalSize] =
          std::to_string(terminal_->rows) + " " + std::to_string(terminal_->columns);
    }
    if (auto planned = PlanRun(command, env, request.exec.working_dir, files)) {
      run_ = *std::move(planned);
    } else {
      run_ = {.output = {}, .ends_ms = 0, .exit_code = 127};
    }
  }

  Result<StreamWait> WaitFor(const Call& call, bool, bool) override {
    int64_t next_ms = call.clock.MonotonicMs() + kStopCheckMs;
    if (!cat_ && run_.ends_ms != Waiter::kForever) {
      next_ms = std::min(next_ms, started_ms_ + run_.ends_ms);
    }
    return StreamWait{.until_ms = next_ms};
  }

  Result<StreamPiece> Read(const Call& call) override {
    if (code_) return StreamPiece{From::kEnd};
    if (!unit_.Runs(call)) return End(kKilled);
    return cat_ ? ReadEcho() : ReadPlan(call.clock.MonotonicMs() - started_ms_);
  }

  Result<size_t> Write(const Call&, std::string_view bytes) override { return input_.Write(bytes); }

  Result<bool> EndInput(const Call&) override {
    if (terminal_) return Error(Code::kUnsupported, "a terminal has no end of input");
    input_.End();
    return true;
  }

  Result<void> Resize(const Call&, const TerminalSize& size) override {
    if (!terminal_) return Error(Code::kUnsupported, "the command has no terminal");
    terminal_ = size;
    return {};
  }

  Result<int> Exit(const Call&) override {
    if (code_) return *code_;
    return Error(Code::kUnknownOutcome, "the command has not ended");
  }

 private:
  StreamPiece End(int code) {
    code_ = code;
    return {From::kEnd};
  }
  StreamPiece ReadEcho() {
    const bool typed_end = terminal_ && input_.held().ends_with(kEndOfTransmission);
    StreamPiece piece = input_.Read();
    if (typed_end) {
      piece.bytes.pop_back();
      input_.End();
    }
    if (piece.from == From::kOutput && piece.bytes.empty()) piece = input_.Read();
    return piece.from == From::kEnd ? End(0) : piece;
  }
  StreamPiece ReadPlan(int64_t age_ms) {
    if (given_ < run_.output.size() && run_.output[given_].at_ms <= age_ms) {
      const FakeOutput& said = run_.output[given_++];
      return {said.errors && !terminal_ ? From::kErrors : From::kOutput, said.text};
    }
    return age_ms >= run_.ends_ms ? End(run_.exit_code) : StreamPiece{};
  }

  const UnitRef unit_;
  std::optional<TerminalSize> terminal_;
  const int64_t started_ms_;
  bool cat_ = false;
  FakeRun run_;
  size_t given_ = 0;
  Echo input_;
  std::optional<int> code_;
};

class MemoryStreams final : public HostStreams {
 public:
  explicit MemoryStreams(MemoryHosts& hosts) : hosts_(hosts) {}

  Result<std::unique_ptr<HostCommand>> OpenCommand(const Call& call,
                                                   const CommandRequest& request) override {
    const ExecRequest& exec = request.exec;
    A4C_CHECK(CheckUnitName(exec.unit));
    A4C_CHECK(CheckCommand(exec.command, exec.env, exec.working_dir));
    if (exec.command.empty()) return Error(Code::kInvalid, "command is empty");
    UnitRef unit{hosts_, exec.host, exec.unit};
    Waiter::Lock lock(*hosts_.waiter);
    A4C_TRY(MemoryUnit * found, unit.FindRunning(call));
    return std::unique_ptr<HostCommand>(std::make_unique<MemoryCommand>(
        std::move(unit), request, found->files, call.clock.MonotonicMs()));
  }

  // A unit listens on the port that its variable PORT names.
  Result<std::unique_ptr<HostStream>> OpenPort(const Call& call, const std::string& host,
                                               const std::string& unit, int port) override {
    A4C_CHECK(CheckUnitName(unit));
    UnitRef ref{hosts_, host, unit};
    {
      Waiter::Lock lock(*hosts_.waiter);
      A4C_TRY(MemoryUnit * found, ref.FindRunning(call));
      const auto& env = found->unit.spec.env;
      const auto listens = env.find("PORT");
      if (listens == env.end() || listens->second != std::to_string(port)) {
        return Error(Code::kUnavailable, "nothing listens on port " + std::to_string(port));
      }
    }
    return std::unique_ptr<HostStream>(std::make_unique<MemoryPort>(std::move(ref)));
  }

 private:
  MemoryHosts& hosts_;
};

}  // namespace

std::unique_ptr<HostStreams> NewMemoryStreams(MemoryHosts& hosts) {
  return std::make_unique<MemoryStreams>(hosts);
}

}  // namespace a4c::memory
