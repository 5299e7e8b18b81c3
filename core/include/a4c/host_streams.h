// HostStreams: streams of bytes into a running unit, both ways: a command with its input, with or
// without a terminal, and a connection to a port that the unit listens on. Asked for by
// host.As<HostStreams>(); null where the provider cannot.
//
//   A4C_TRY(auto command, streams->OpenCommand(call, {.exec = {host, unit, {"sh"}},
//                                                     .terminal = TerminalSize{24, 80}}));
//   while (true) {
//     A4C_TRY(StreamPiece piece, command->Read(call));
//     if (piece.from == StreamPiece::From::kEnd) break;
//     if (piece.from != StreamPiece::From::kNothing) { Show(piece); continue; }
//     A4C_TRY(StreamWait wait, command->WaitFor(call, true, false));   // then poll(2) wait.fd
//   }
//   A4C_TRY(int code, command->Exit(call));
//
// Opening [any thread] may take until the deadline. What was opened belongs to the thread that
// opened it, which also destroys it: so one thread can serve a stream by poll(2), and nothing needs
// two. Except for Resize and Exit no method waits. Nothing is kept beyond what one Read gives: who
// does not read lets the other side wait, and a Write that takes nothing says the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/clock.h"
#include "a4c/host_extensions.h"

namespace a4c {

struct StreamPiece {
  enum class From : uint8_t { kNothing, kOutput, kErrors, kEnd };
  From from = From::kNothing;  // kNothing: not now; kEnd: never again
  std::string bytes = {};      // at most 1 MiB
};

struct StreamWait {
  int fd = -1;                          // for poll(2); -1: nothing to poll
  short events = 0;                     // POLLIN, POLLOUT
  int64_t until_ms = Waiter::kForever;  // look again then at the latest, on MonotonicMs
};

// Destroying it closes the stream; it takes at most ten seconds.
class HostStream {
 public:
  virtual ~HostStream() = default;
  // What to wait for until Read, or Write and EndInput, can go on, of which nothing could: whoever
  // does not read has to say so, or what there is to read wakes it all along.
  virtual Result<StreamWait> WaitFor(const Call& call, bool reading, bool writing) = 0;
  // kUnavailable: the connection is lost.
  virtual Result<StreamPiece> Read(const Call& call) = 0;
  // How many of the bytes were taken; 0: none now. Taken is not yet arrived.
  virtual Result<size_t> Write(const Call& call, std::string_view bytes) = 0;
  // The other side sees the end of its input. False: not now, call again. With a terminal there is
  // no such end: kUnsupported; what people type there is ^D.
  virtual Result<bool> EndInput(const Call& call) = 0;
};

struct TerminalSize {
  int rows = 24;
  int columns = 80;
};

struct CommandRequest {
  ExecRequest exec;
  std::optional<TerminalSize> terminal = {};  // none: input, output and errors are three pipes
};

// Destroying it ends a command that has not ended, where the provider can: hang-up and SIGTERM,
// soon after SIGKILL.
class HostCommand : public HostStream {
 public:
  // kUnsupported: it has no terminal.
  virtual Result<void> Resize(const Call& call, const TerminalSize& size) = 0;
  // After Read said kEnd: the exit code, 128 + n for signal n. kUnknownOutcome: not known by the
  // deadline.
  virtual Result<int> Exit(const Call& call) = 0;
};

class HostStreams {
 public:
  static constexpr std::string_view kExtension = "a4c.host_streams";
  virtual ~HostStreams() = default;
  // kNotFound, kConflict: there is no such unit, or it is not running. kExhausted: too many at a
  // time. A program that is not there is no error: it ends with 126 or 127.
  virtual Result<std::unique_ptr<HostCommand>> OpenCommand(const Call& call,
                                                           const CommandRequest& request) = 0;
  // TCP, to a port of the unit's own. kUnavailable: nobody listens there. kUnsupported: units of
  // this provider cannot be reached so, and why.
  virtual Result<std::unique_ptr<HostStream>> OpenPort(const Call& call, const std::string& host,
                                                       const std::string& unit, int port) = 0;
};

}  // namespace a4c
