#include "apps/websocket/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace a4c_websocket {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

constexpr size_t kPieceBytes = 64u << 10;
constexpr int kTriesMax = 256;  // frames that are no message, and pieces of one, in one call

Error Gone() {
  return Error(Code::kUnavailable, "the connection has ended");
}

class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(int fd) : fd_(fd) {}
  ssize_t Receive(char* bytes, size_t count) override {
    return recv(fd_, bytes, count, MSG_DONTWAIT);
  }
  ssize_t Send(std::string_view bytes) override {
    return send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  int fd() const override { return fd_; }
  short Events(bool receiving, bool sending) const override {
    return static_cast<short>((receiving ? POLLIN : 0) | (sending ? POLLOUT : 0));
  }

 private:
  const int fd_;
};

}  // namespace

Connection::Connection(int fd, Side side, const ConnectionOptions& options,
                       const a4c::Runtime& runtime, std::string_view early)
    : Connection(std::make_unique<SocketTransport>(fd), side, options, runtime, early) {}

Connection::Connection(std::unique_ptr<Transport> transport, Side side,
                       const ConnectionOptions& options, const a4c::Runtime& runtime,
                       std::string_view early)
    : transport_(std::move(transport)),
      side_(side),
      options_(options),
      runtime_(runtime),
      decoder_(side == Side::kServer, options.message_bytes_max),
      heard_at_ms_(runtime.clock.MonotonicMs()) {
  decoder_.Add(early);
}

Result<std::optional<Message>> Connection::Receive() {
  has_more_ = true;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    A4C_TRY(std::optional<Message> message, decoder_.Next());
    if (message && message->kind == Kind::kPing) {
      Answer(std::move(message->bytes));
    } else if (message && message->kind != Kind::kPong) {
      return message;
    }
    if (message) continue;
    std::array<char, kPieceBytes> piece;
    const ssize_t got = transport_->Receive(piece.data(), piece.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      has_more_ = false;
      return std::optional<Message>();
    }
    if (got <= 0) return Gone();
    heard_at_ms_ = runtime_.clock.MonotonicMs();
    decoder_.Add({piece.data(), static_cast<size_t>(got)});
  }
  return std::optional<Message>();
}

void Connection::Answer(std::string ping) {
  if (Full()) {
    last_ping_ = std::move(ping);
  } else {
    Send(Kind::kPong, ping);
  }
}

void Connection::Send(Kind kind, std::string_view first, std::string_view rest) {
  std::optional<uint32_t> mask;
  if (side_ == Side::kClient) mask = static_cast<uint32_t>(runtime_.random.Next());
  if (sent_ > unsent_.size() / 2) {
    unsent_.erase(0, sent_);
    sent_ = 0;
  }
  AppendFrame(unsent_, kind, first, rest, mask);
}

Result<void> Connection::Flush() {
  if (last_ping_ && !Full()) Send(Kind::kPong, *std::exchange(last_ping_, std::nullopt));
  while (sent_ < unsent_.size()) {
    const ssize_t count = transport_->Send(std::string_view(unsent_).substr(sent_));
    if (count > 0) {
      sent_ += static_cast<size_t>(count);
    } else if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      return {};
    } else {
      return Gone();
    }
  }
  unsent_.clear();
  sent_ = 0;
  return {};
}

bool Connection::HungUp() const {
  pollfd entry{fd(), POLLRDHUP, 0};
  return poll(&entry, 1, 0) > 0;
}

short Connection::Events(bool receiving) const {
  return transport_->Events(receiving, !Flushed());
}

}  // namespace a4c_websocket
