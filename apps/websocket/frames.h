// WebSocket (RFC 6455) without I/O: frames to messages and back, and the key of the handshake.
// Poco has a WebSocket too, but its reads and writes wait, and a connection that goes both ways at
// once must not: each side would wait for the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/result.h"
#include "apps/websocket/byte_queue.h"

namespace a4c_websocket {

enum class Kind : uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

struct Message {
  Kind kind;
  std::string bytes;
};

// One frame that is a whole message. mask: clients must, servers must not.
std::string EncodeFrame(Kind kind, std::string_view bytes, std::optional<uint32_t> mask);
// The same behind what is in `out`; the message is first and rest together.
void AppendFrame(std::string& out, Kind kind, std::string_view first, std::string_view rest,
                 std::optional<uint32_t> mask);

// "reason" behind its code, 1000 and up; at most 123 bytes of it.
std::string CloseBody(int code, std::string_view reason);

class FrameDecoder {
 public:
  // masked: whether the other side is a client, whose frames have to be masked.
  FrameDecoder(bool masked, size_t message_bytes_max)
      : masked_(masked), message_bytes_max_(message_bytes_max) {}

  void Add(std::string_view bytes) { buffer_.Append(bytes); }
  // The next whole message, or nothing yet. Pieces are put together. kInvalid: it is no WebSocket,
  // or a message is longer than the bound; nothing more can be read then.
  a4c::Result<std::optional<Message>> Next();

 private:
  struct Head;
  a4c::Result<std::optional<Head>> ReadHead() const;
  a4c::Result<std::optional<Message>> Take(const Head& head);

  const bool masked_;
  const size_t message_bytes_max_;
  ByteQueue buffer_;
  std::optional<Message> partial_;  // a message whose last piece has not come
};

// Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string AcceptKey(const std::string& key);

}  // namespace a4c_websocket
