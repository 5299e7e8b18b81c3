// HostStreams, and what it opens, guarded.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "a4c/host_streams.h"
#include "plugin/guard.h"

namespace a4c::plugin {

// Interface: HostStream or HostCommand.
template <typename Interface>
class GuardedStreamOf : public Interface {
 public:
  GuardedStreamOf(std::unique_ptr<Interface> inner, PluginRecord& plugin)
      : plugin_(plugin),
        inner_(std::move(inner)),
        wait_(plugin.Site("Stream.WaitFor")),
        read_(plugin.Site("Stream.Read")),
        write_(plugin.Site("Stream.Write", Code::kUnknownOutcome)),
        end_input_(plugin.Site("Stream.EndInput", Code::kUnknownOutcome)),
        close_(plugin.Site("Stream.destructor")) {}
  // Closing may take a while: a command is ended, on a server that may be far away.
  ~GuardedStreamOf() override {
    const Clock& clock = plugin_.clock();
    const CallInFlight in_flight(close_, clock.MonotonicNs(), clock.MonotonicMs() + kCloseMs);
    inner_.reset();
  }

  Result<StreamWait> WaitFor(const Call& call, bool reading, bool writing) override {
    return Guarded(wait_, call, [&] { return inner_->WaitFor(call, reading, writing); });
  }
  Result<StreamPiece> Read(const Call& call) override {
    return Guarded(read_, call, [&] { return inner_->Read(call); });
  }
  Result<size_t> Write(const Call& call, std::string_view bytes) override {
    return Guarded(write_, call, [&] {
      auto taken = inner_->Write(call, bytes);
      if (taken && *taken > bytes.size()) {
        taken =
            Malformed(write_, Counted(bytes.size(), "byte"), Counted(*taken, "byte") + " taken");
      }
      return taken;
    });
  }
  Result<bool> EndInput(const Call& call) override {
    return Guarded(end_input_, call, [&] { return inner_->EndInput(call); });
  }

 protected:
  PluginRecord& plugin_;
  std::unique_ptr<Interface> inner_;

 private:
  static constexpr int64_t kCloseMs = 10'000;

  const CallSite& wait_;
  const CallSite& read_;
  const CallSite& write_;
  const CallSite& end_input_;
  const CallSite& close_;
};

using GuardedHostStream = GuardedStreamOf<HostStream>;

class GuardedHostCommand final : public GuardedStreamOf<HostCommand> {
 public:
  GuardedHostCommand(std::unique_ptr<HostCommand> inner, PluginRecord& plugin)
      : GuardedStreamOf(std::move(inner), plugin),
        resize_(plugin.Site("Command.Resize", Code::kUnknownOutcome)),
        exit_(plugin.Site("Command.Exit", Code::kUnknownOutcome)) {}

  Result<void> Resize(const Call& call, const TerminalSize& size) override {
    return Guarded(resize_, call, [&] { return inner_->Resize(call, size); });
  }
  Result<int> Exit(const Call& call) override {
    return Guarded(exit_, call, [&] { return inner_->Exit(call); });
  }

 private:
  const CallSite& resize_;
  const CallSite& exit_;
};

class GuardedHostStreams final : public HostStreams {
 public:
  GuardedHostStreams(HostStreams& inner, PluginRecord& plugin)
      : plugin_(plugin),
        inner_(inner),
        command_(plugin.Site("Streams.OpenCommand", Code::kUnknownOutcome)),
        port_(plugin.Site("Streams.OpenPort")) {}

  Result<std::unique_ptr<HostCommand>> OpenCommand(const Call& call,
                                                   const CommandRequest& request) override {
    auto opened = Guarded(command_, call, [&] { return inner_.OpenCommand(call, request); });
    if (!opened) return opened.error();
    return std::unique_ptr<HostCommand>(
        std::make_unique<GuardedHostCommand>(*std::move(opened), plugin_));
  }
  Result<std::unique_ptr<HostStream>> OpenPort(const Call& call, const std::string& host,
                                               const std::string& unit, int port) override {
    auto opened = Guarded(port_, call, [&] { return inner_.OpenPort(call, host, unit, port); });
    if (!opened) return opened.error();
    return std::unique_ptr<HostStream>(
        std::make_unique<GuardedHostStream>(*std::move(opened), plugin_));
  }

 private:
  PluginRecord& plugin_;
  HostStreams& inner_;
  const CallSite& command_;
  const CallSite& port_;
};

}  // namespace a4c::plugin
