#include "docker/docker_frames.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kHeadBytes = 8;
constexpr uint32_t kFrameBytesMax = 1u << 20;  // dockerd's are at most 32 KiB

uint32_t LengthIn(std::string_view head) {
  uint32_t length = 0;
  for (size_t i = 4; i < kHeadBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(head[i]);
  }
  return length;
}

bool IsHead(std::string_view head) {
  return head[0] >= 0 && head[0] <= 2 && head.substr(1, 3) == std::string_view("\0\0\0", 3) &&
         LengthIn(head) <= kFrameBytesMax;
}

}  // namespace

Result<std::vector<DockerFrame>> FrameReader::Add(std::string_view piece) {
  buffer_ += piece;
  std::vector<DockerFrame> frames;
  size_t at = 0;
  while (buffer_.size() - at >= kHeadBytes) {
    const std::string_view head = std::string_view(buffer_).substr(at, kHeadBytes);
    if (!IsHead(head)) return Error(Code::kUnavailable, "docker: output that is not in frames");
    const size_t length = LengthIn(head);
    if (buffer_.size() - at - kHeadBytes < length) break;
    frames.push_back({static_cast<uint8_t>(head[0]), buffer_.substr(at + kHeadBytes, length)});
    at += kHeadBytes + length;
  }
  buffer_.erase(0, at);
  return frames;
}

}  // namespace a4c::baremetal
