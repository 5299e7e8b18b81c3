#include "apps/a4cd/sessions/conversation.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "apps/a4cd/api/problem.h"
#include "apps/websocket/connection.h"

namespace a4cd {

using a4c::Code;
using a4c::Error;
using a4c::HostStream;
using a4c::Json;
using a4c::Result;
using a4c::StreamPiece;
using a4c_websocket::Kind;
using a4c_websocket::Message;

namespace {

constexpr size_t kInputBytesMax = 256u << 10;
constexpr int kMessagesMax = 256;  // of one turn
constexpr int64_t kFarewellMs = 2'000;
constexpr char kEndOfTransmission = '\x04';
// The first byte of a binary message: which stream it is of.
constexpr char kInput = 0;
constexpr char kOutput = 1;
constexpr char kErrors = 2;

constexpr int kGoingAway = 1001;
constexpr int kPolicy = 1008;
constexpr int kInside = 1011;

int CloseCodeOf(Code code) {
  if (code == Code::kCanceled) return kGoingAway;
  return code == Code::kInternal ? kInside : kPolicy;
}

Error Drains() {
  return Error(Code::kCanceled, "this instance is ending, and its sessions with it",
               "open it again: another instance serves it");
}

Result<Json> ParseMessage(const Message& message) {
  if (message.kind != Kind::kText) {
    return Error(Code::kInvalid, "a text message was expected, and a binary one came");
  }
  Result<Json> json =
      a4c::ParseJson(message.bytes, {.bytes_max = message.bytes.size() + 1, .depth_max = 8});
  if (!json) return json.error().Within("the message is not taken as JSON");
  return json;
}

void WaitFor(const a4c::Clock& clock, std::initializer_list<pollfd> entries, int64_t until_ms) {
  std::vector<pollfd> fds(entries);
  const int64_t wait_ms = std::clamp<int64_t>(until_ms - clock.MonotonicMs(), 0, 60'000);
  poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
}

}  // namespace

Result<Json> Conversation::Await() {
  const a4c::Call call = StepCall();
  while (true) {
    A4C_TRY(const std::optional<Message> message, peer_.socket.Receive());
    if (message && message->kind == Kind::kClose) {
      return Error(Code::kUnavailable, "the client has gone");
    }
    if (message) return ParseMessage(*message);
    A4C_CHECK(peer_.socket.Flush());
    if (peer_.stop.stop_requested()) return Drains();
    if (call.Expired()) return Error(Code::kTimeout, "the client did not say what it wants");
    if (peer_.socket.HasMore()) continue;
    WaitFor(runtime_.clock,
            {{peer_.socket.fd(), peer_.socket.Events(true), 0}, {peer_.wake_fd, POLLIN, 0}},
            call.deadline_ms);
  }
}

Result<void> Conversation::TakeInput(const std::function<Result<void>(const Json&)>& control) {
  more_input_ = false;
  for (int taken = 0; input_.size() < kInputBytesMax; ++taken) {
    // However fast they come, and however small: time and end are looked at in between.
    more_input_ = taken == kMessagesMax;
    if (more_input_) return {};
    A4C_TRY(const std::optional<Message> message, peer_.socket.Receive());
    more_input_ = !message && peer_.socket.HasMore();
    if (!message) return {};
    if (message->kind == Kind::kClose) return Error(Code::kUnavailable, "the client has gone");
    if (message->kind == Kind::kBinary) {
      if (message->bytes.empty() || message->bytes[0] != kInput || input_ends_) {
        return Error(Code::kInvalid, "a binary message that is no input, or comes after its end");
      }
      input_.Append(std::string_view(message->bytes).substr(1));
      continue;
    }
    A4C_TRY(const Json said, ParseMessage(*message));
    if (said["type"].Text() == "end_of_input") {
      input_ends_ = true;
    } else {
      A4C_CHECK(control(said));
    }
  }
  return {};
}

// True if something was given.
Result<bool> Conversation::GiveInput(HostStream& stream, bool terminal) {
  const a4c::Call call = StepCall();
  if (!input_.empty()) {
    A4C_TRY(const size_t taken, stream.Write(call, input_.view()));
    input_.Take(taken);
    bytes_ += static_cast<int64_t>(taken);
    return taken > 0;
  }
  if (!input_ends_ || input_ended_) return false;
  if (terminal) {
    // What a person would type there.
    input_.Append({&kEndOfTransmission, 1});
    input_ended_ = true;
    return true;
  }
  A4C_TRY(input_ended_, stream.EndInput(call));
  return input_ended_;
}

Result<bool> Conversation::TakeOutput(HostStream& stream) {
  if (peer_.socket.Full()) return false;
  A4C_TRY(const StreamPiece piece, stream.Read(StepCall()));
  switch (piece.from) {
    case StreamPiece::From::kNothing:
      return false;
    case StreamPiece::From::kEnd:
      output_ended_ = true;
      return true;
    case StreamPiece::From::kOutput:
    case StreamPiece::From::kErrors:
      break;
  }
  const char stream_byte = piece.from == StreamPiece::From::kOutput ? kOutput : kErrors;
  peer_.socket.Send(Kind::kBinary, {&stream_byte, 1}, piece.bytes);
  bytes_ += static_cast<int64_t>(piece.bytes.size());
  return true;
}

Result<void> Conversation::CheckTime() {
  const int64_t now_ms = runtime_.clock.MonotonicMs();
  if (peer_.stop.stop_requested()) return Drains();
  if (peer_.permitted) A4C_CHECK(peer_.permitted());
  if (now_ms - started_ms_ >= rules_.duration_max_ms) {
    return Error(Code::kTimeout,
                 "a session lasts at most " + std::to_string(rules_.duration_max_ms / 1000) + " s");
  }
  if (now_ms - moved_ms_ >= rules_.idle_max_ms) {
    return Error(Code::kTimeout,
                 "nothing happened for " + std::to_string(rules_.idle_max_ms / 1000) + " s");
  }
  // Nothing is heard of a client from which nothing is taken.
  const bool listening = input_.size() < kInputBytesMax;
  const bool silent = now_ms - peer_.socket.heard_at_ms() >= 3 * rules_.ping_period_ms;
  if (listening ? silent : peer_.socket.HungUp()) {
    return Error(Code::kUnavailable, "the client has gone");
  }
  presence_.Keep();
  if (now_ms - pinged_ms_ >= rules_.ping_period_ms) {
    peer_.socket.Send(Kind::kPing, "");
    pinged_ms_ = now_ms;
  }
  return {};
}

// Until either side can go on, or it is time to look.
Result<void> Conversation::Rest(HostStream& stream) {
  const bool reading = !peer_.socket.Full();
  const bool writing = !input_.empty() || (input_ends_ && !input_ended_);
  A4C_TRY(const a4c::StreamWait wait, stream.WaitFor(StepCall(), reading, writing));
  const int64_t until_ms =
      std::min({wait.until_ms, moved_ms_ + rules_.idle_max_ms, started_ms_ + rules_.duration_max_ms,
                pinged_ms_ + rules_.ping_period_ms});
  WaitFor(runtime_.clock,
          {{peer_.socket.fd(), peer_.socket.Events(input_.size() < kInputBytesMax), 0},
           {wait.fd, wait.events, 0},
           {peer_.wake_fd, POLLIN, 0}},
          until_ms);
  return {};
}

Result<void> Conversation::Carry(HostStream& stream, bool terminal,
                                 const std::function<Result<void>(const Json&)>& control) {
  moved_ms_ = runtime_.clock.MonotonicMs();
  while (!output_ended_) {
    A4C_CHECK(TakeInput(control));
    A4C_TRY(const bool given, GiveInput(stream, terminal));
    A4C_TRY(const bool taken, TakeOutput(stream));
    A4C_CHECK(peer_.socket.Flush());
    if (given || taken) moved_ms_ = runtime_.clock.MonotonicMs();
    A4C_CHECK(CheckTime());
    if (!given && !taken && !more_input_) A4C_CHECK(Rest(stream));
  }
  return {};
}

void Conversation::Tell(const Json& message) {
  peer_.socket.Send(Kind::kText, message.ToString());
  moved_ms_ = runtime_.clock.MonotonicMs();
}

Result<void> Conversation::Pass(int64_t wait_ms) {
  const int64_t until_ms = runtime_.clock.MonotonicMs() + wait_ms;
  while (true) {
    A4C_CHECK(TakeInput([](const Json&) -> Result<void> {
      return Error(Code::kInvalid, "there is nothing to be said here");
    }));
    A4C_CHECK(peer_.socket.Flush());
    A4C_CHECK(CheckTime());
    const bool over = runtime_.clock.MonotonicMs() >= until_ms;
    if (over && !peer_.socket.Full()) return {};
    if (more_input_) continue;
    WaitFor(runtime_.clock,
            {{peer_.socket.fd(), peer_.socket.Events(true), 0}, {peer_.wake_fd, POLLIN, 0}},
            over ? pinged_ms_ + rules_.ping_period_ms : until_ms);
  }
}

void Conversation::TellProblem(const Error& error) {
  Problem problem = ProblemOf(error);
  // As a request with that key would be told.
  if (peer_.permitted && !peer_.permitted()) {
    problem.status = 401;
    problem.type = "unauthenticated";
  }
  Json message(Json::Object{{"type", "problem"}});
  message.AppendMember("problem", ProblemJson(problem));
  Tell(message);
  close_code_ = CloseCodeOf(error.code());
}

void Conversation::Close() {
  peer_.socket.Close(close_code_, "");
  const int64_t until_ms = runtime_.clock.MonotonicMs() + kFarewellMs;
  // Closing a socket with bytes unread resets the connection, and the client may lose what it was
  // told: so what it still sends is read, until it closes.
  while (runtime_.clock.MonotonicMs() < until_ms) {
    if (!peer_.socket.Flush()) return;
    const auto message = peer_.socket.Receive();
    if (!message) return;
    if (*message && (*message)->kind == Kind::kClose && peer_.socket.Flushed()) return;
    if (*message || peer_.socket.HasMore()) continue;
    WaitFor(runtime_.clock, {{peer_.socket.fd(), peer_.socket.Events(true), 0}}, until_ms);
  }
}

}  // namespace a4cd
