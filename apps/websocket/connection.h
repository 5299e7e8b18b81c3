// A WebSocket over a socket that does not wait: what a thread needs that also watches something
// else. After the handshake.
//
//   while (true) {
//     A4C_TRY(auto message, peer.Receive());
//     ...
//     A4C_CHECK(peer.Flush());
//     poll({peer.fd(), peer.Events(wants_messages)}, ...);
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "apps/websocket/frames.h"
#include "apps/websocket/transport.h"

namespace a4c_websocket {

enum class Side : uint8_t { kServer, kClient };

struct ConnectionOptions {
  size_t message_bytes_max = 1 << 20;
  size_t unsent_bytes_max = 256 << 10;  // past it Full() asks to send no more
};

// [one thread at a time]
class Connection {
 public:
  // early: what was read of the socket before. The socket is borrowed.
  Connection(int fd, Side side, const ConnectionOptions& options, const a4c::Runtime& runtime,
             std::string_view early = {});
  Connection(std::unique_ptr<Transport> transport, Side side, const ConnectionOptions& options,
             const a4c::Runtime& runtime, std::string_view early = {});

  // The next message, if it has come; pings are answered here, pongs taken note of. Of pings that
  // come faster than their answers go, the last is answered (RFC 6455, section 5.5.3), and nobody
  // is kept in here by frames that are no message. kUnavailable:
  // the other side has gone, after kClose or without. kInvalid: it speaks no WebSocket.
  a4c::Result<std::optional<Message>> Receive();
  // Where that was nothing: whether there is more that has come. The socket need not show it.
  bool HasMore() const { return has_more_; }
  // Takes bytes that are no frame to be sent: the answer of the handshake.
  void SendHead(std::string_view head) { unsent_ += head; }
  // Takes it to be sent.
  void Send(Kind kind, std::string_view bytes) { Send(kind, {}, bytes); }
  // The same of two parts, which are one message.
  void Send(Kind kind, std::string_view first, std::string_view rest);
  void Close(int code, std::string_view reason) { Send(Kind::kClose, CloseBody(code, reason)); }
  // Sends what the socket takes. kUnavailable: the other side has gone.
  a4c::Result<void> Flush();

  bool Full() const { return unsent_.size() - sent_ >= options_.unsent_bytes_max; }
  bool Flushed() const { return unsent_.size() == sent_; }
  int fd() const { return transport_->fd(); }
  // For poll(2): `receiving` if messages are wanted.
  short Events(bool receiving) const;
  // Whether the other side has closed; also while nobody receives. Does not wait.
  bool HungUp() const;
  // When anything came last, on MonotonicMs.
  int64_t heard_at_ms() const { return heard_at_ms_; }

 private:
  void Answer(std::string ping);

  const std::unique_ptr<Transport> transport_;
  const Side side_;
  const ConnectionOptions options_;
  const a4c::Runtime runtime_;
  FrameDecoder decoder_;
  std::string unsent_;
  size_t sent_ = 0;                            // of unsent_
  std::optional<std::string> last_ping_ = {};  // unanswered, while Full()
  int64_t heard_at_ms_;
  bool has_more_ = false;
};

}  // namespace a4c_websocket
