#include "apps/websocket/frames.h"

#include <Poco/Base64Encoder.h>
#include <Poco/SHA1Engine.h>

#include <array>
#include <cstring>
#include <sstream>
#include <utility>

namespace a4c_websocket {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

constexpr uint8_t kContinuation = 0;
constexpr uint8_t kFin = 0x80;
constexpr uint8_t kMasked = 0x80;
constexpr size_t kControlBytesMax = 125;

Error Broken(const std::string& what) {
  return Error(Code::kInvalid, "websocket: " + what);
}

void AppendNumber(std::string& out, uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(number >> shift);
}

// Eight bytes at a time: all that goes through a session comes by here.
void Mask(char* bytes, size_t size, uint32_t mask) {
  std::array<char, 2 * sizeof(mask)> key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(mask >> (24 - 8 * (i % 4)));
  uint64_t word = 0;
  std::memcpy(&word, key.data(), sizeof(word));
  size_t at = 0;
  for (; at + sizeof(word) <= size; at += sizeof(word)) {
    uint64_t some = 0;
    std::memcpy(&some, bytes + at, sizeof(some));
    some ^= word;
    std::memcpy(bytes + at, &some, sizeof(some));
  }
  for (size_t i = 0; at + i < size; ++i) bytes[at + i] = static_cast<char>(bytes[at + i] ^ key[i]);
}

bool IsControl(uint8_t code) {
  return code >= static_cast<uint8_t>(Kind::kClose);
}

bool IsKnown(uint8_t code) {
  return code <= static_cast<uint8_t>(Kind::kBinary) ||
         (code >= static_cast<uint8_t>(Kind::kClose) && code <= static_cast<uint8_t>(Kind::kPong));
}

}  // namespace

void AppendFrame(std::string& out, Kind kind, std::string_view first, std::string_view rest,
                 std::optional<uint32_t> mask) {
  const size_t size = first.size() + rest.size();
  const uint8_t masked = mask ? kMasked : 0;
  out += static_cast<char>(kFin | static_cast<uint8_t>(kind));
  if (size < 126) {
    out += static_cast<char>(masked | size);
  } else if (size < 65536) {
    out += static_cast<char>(masked | 126);
    AppendNumber(out, size, 2);
  } else {
    out += static_cast<char>(masked | 127);
    AppendNumber(out, size, 8);
  }
  if (mask) AppendNumber(out, *mask, 4);
  const size_t from = out.size();
  out += first;
  out += rest;
  if (mask) Mask(out.data() + from, size, *mask);
}

std::string EncodeFrame(Kind kind, std::string_view bytes, std::optional<uint32_t> mask) {
  std::string frame;
  AppendFrame(frame, kind, {}, bytes, mask);
  return frame;
}

std::string CloseBody(int code, std::string_view reason) {
  std::string body;
  AppendNumber(body, static_cast<uint64_t>(code), 2);
  body += reason.substr(0, kControlBytesMax - 2);
  return body;
}

struct FrameDecoder::Head {
  bool fin;
  uint8_t code;
  size_t size;      // of the head itself
  uint64_t length;  // of what follows
  uint32_t mask;
};

Result<std::optional<FrameDecoder::Head>> FrameDecoder::ReadHead() const {
  const std::string_view bytes = buffer_.view();
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  const auto number = [&](size_t at, size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; ++i) value = value << 8 | byte(at + i);
    return value;
  };
  if (buffer_.size() < 2) return std::optional<Head>();
  Head head{(byte(0) & kFin) != 0, static_cast<uint8_t>(byte(0) & 0x0f), 2,
            static_cast<uint64_t>(byte(1) & 0x7f), 0};
  const bool masked = (byte(1) & kMasked) != 0;
  if ((byte(0) & 0x70) != 0 || !IsKnown(head.code)) return Broken("a frame of an unknown kind");
  if (masked != masked_) return Broken(masked_ ? "a frame is not masked" : "a frame is masked");
  if (IsControl(head.code) && (!head.fin || head.length > kControlBytesMax)) {
    return Broken("a control frame that is too long or in pieces");
  }
  const size_t more = head.length == 126 ? 2 : head.length == 127 ? 8 : 0;
  if (buffer_.size() < head.size + more) return std::optional<Head>();
  if (more > 0) head.length = number(head.size, more);
  head.size += more;
  if (head.length > message_bytes_max_) {
    return Broken("a message is longer than " + std::to_string(message_bytes_max_) + " bytes");
  }
  if (!masked) return std::optional(head);
  if (buffer_.size() < head.size + 4) return std::optional<Head>();
  head.mask = static_cast<uint32_t>(number(head.size, 4));
  head.size += 4;
  return std::optional(head);
}

Result<std::optional<Message>> FrameDecoder::Take(const Head& head) {
  std::string bytes(buffer_.view().substr(head.size, head.length));
  buffer_.Take(head.size + head.length);
  if (masked_) Mask(bytes.data(), bytes.size(), head.mask);
  const bool goes_on = head.code == kContinuation;
  if (IsControl(head.code) || (head.fin && !goes_on && !partial_)) {
    return std::optional(Message{static_cast<Kind>(head.code), std::move(bytes)});
  }
  if (goes_on != partial_.has_value()) return Broken("pieces of a message are out of order");
  if (!goes_on) partial_ = Message{static_cast<Kind>(head.code), {}};
  partial_->bytes += bytes;
  if (partial_->bytes.size() > message_bytes_max_) {
    return Broken("a message is longer than " + std::to_string(message_bytes_max_) + " bytes");
  }
  if (!head.fin) return std::optional<Message>();
  return std::exchange(partial_, std::nullopt);
}

Result<std::optional<Message>> FrameDecoder::Next() {
  while (true) {
    A4C_TRY(const std::optional<Head> head, ReadHead());
    if (!head || buffer_.size() < head->size + head->length) return std::optional<Message>();
    A4C_TRY(auto message, Take(*head));
    if (message) return message;
  }
}

std::string AcceptKey(const std::string& key) {
  Poco::SHA1Engine sha1;
  sha1.update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  const auto& digest = sha1.digest();
  std::ostringstream text;
  Poco::Base64Encoder encoder(text);
  encoder.write(reinterpret_cast<const char*>(digest.data()),
                static_cast<std::streamsize>(digest.size()));
  encoder.close();
  return text.str();
}

}  // namespace a4c_websocket
