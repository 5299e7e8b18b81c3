#include "apps/a4c/sessions/relay.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace a4c_cli {

using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;
using a4c_websocket::Kind;
using a4c_websocket::Message;

namespace {

constexpr size_t kPieceBytes = 32u << 10;
constexpr size_t kUnwrittenBytesMax = 256u << 10;
// A pipe that poll calls ready takes so much without waiting, also one that is not ours to change.
constexpr size_t kBlockingWriteBytes = 4096;
constexpr int64_t kSignOfLifeMs = 10'000;
constexpr int64_t kSilenceMaxMs = 60'000;
constexpr int kRestMaxMs = 1'000;
constexpr char kInput = 0;
constexpr char kErrors = 2;

Error Lost() {
  return Error(Code::kUnavailable, "the connection to the workspace was lost",
               "what ran in it is ended; try again");
}

}  // namespace

// False: nobody reads there any more.
bool Relay::Outlet::Write() {
  const std::string_view bytes = unwritten.view().substr(0, piece_bytes);
  const ssize_t count = write(fd, bytes.data(), bytes.size());
  if (count > 0) unwritten.Take(static_cast<size_t>(count));
  return count >= 0 || errno == EAGAIN || errno == EINTR;
}

size_t Relay::PieceBytesFor(int fd) {
  const int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0 ? kUnwrittenBytesMax : kBlockingWriteBytes;
}

void Relay::Say(const Json& message) {
  peer_.Send(Kind::kText, message.ToString());
}

Result<void> Relay::Run(const std::function<Result<bool>(const Json&)>& hear,
                        const std::function<void()>& each_round) {
  if (input_ < 0) EndInput();
  while (true) {
    A4C_CHECK(Receive(hear));
    if (ended_ && unwritten() == 0) return {};
    if (!ended_) {
      if (each_round) each_round();
      A4C_CHECK(SendSignOfLife());
      if (!peer_.Flush()) return Lost();
    }
    A4C_CHECK(Rest());
  }
}

Result<void> Relay::Receive(const std::function<Result<bool>(const Json&)>& hear) {
  while (!ended_ && unwritten() < kUnwrittenBytesMax) {
    const Result<std::optional<Message>> message = peer_.Receive();
    if (!message || (*message && (*message)->kind == Kind::kClose)) return Lost();
    if (!*message) return {};
    const std::string& bytes = (*message)->bytes;
    if ((*message)->kind == Kind::kText) {
      A4C_TRY(const Json said, a4c::ParseJson(bytes));
      A4C_TRY(ended_, hear(said));
    } else if (!bytes.empty()) {
      (bytes[0] == kErrors ? errors_ : output_).unwritten.Append(std::string_view(bytes).substr(1));
    }
  }
  return {};
}

// While our own output is stuck nothing is read, pings neither; the server is told that we live.
Result<void> Relay::SendSignOfLife() {
  const int64_t now_ms = runtime_.clock.MonotonicMs();
  if (now_ms - sign_sent_ms_ >= kSignOfLifeMs) {
    peer_.Send(Kind::kPong, "");
    sign_sent_ms_ = now_ms;
  }
  const bool listening = unwritten() < kUnwrittenBytesMax;
  if (listening && now_ms - peer_.heard_at_ms() >= kSilenceMaxMs) return Lost();
  return {};
}

void Relay::EndInput() {
  input_ended_ = true;
  Say(Json::Object{{"type", "end_of_input"}});
}

void Relay::TakeInput() {
  std::array<char, kPieceBytes + 1> piece;
  piece[0] = kInput;
  const ssize_t count = read(input_, piece.data() + 1, kPieceBytes);
  if (count > 0) {
    peer_.Send(Kind::kBinary, {piece.data(), static_cast<size_t>(count) + 1});
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    EndInput();
  }
}

Result<void> Relay::Rest() {
  const bool receiving = !ended_ && unwritten() < kUnwrittenBytesMax;
  const bool reading = !input_ended_ && !ended_ && !peer_.Full();
  std::array<pollfd, 5> fds = {{
      {ended_ ? -1 : peer_.fd(), peer_.Events(receiving), 0},
      {reading ? input_ : -1, POLLIN, 0},
      {output_.Idle() ? -1 : output_.fd, POLLOUT, 0},
      {errors_.Idle() ? -1 : errors_.fd, POLLOUT, 0},
      {wake_, POLLIN, 0},
  }};
  if (poll(fds.data(), fds.size(), kRestMaxMs) <= 0) return {};
  char byte = 0;
  if (fds[4].revents != 0 && read(wake_, &byte, 1) == 0) {
    return Error(Code::kCanceled, "nobody waits for it any more");
  }
  if (fds[1].revents != 0) TakeInput();
  const bool written =
      (fds[2].revents == 0 || output_.Write()) && (fds[3].revents == 0 || errors_.Write());
  if (written) return {};
  return Error(Code::kCanceled, "nobody reads the output any more");
}

}  // namespace a4c_cli
