// Docker's stream of frames: output and errors of a program without a terminal come as frames, each
// with a head of 8 bytes: stream (1 output, 2 errors), three zeros, length in big-endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/result.h"

namespace a4c::baremetal {

struct DockerFrame {
  uint8_t stream;
  std::string bytes;
};

// Puts frames together from pieces that may end anywhere.
class FrameReader {
 public:
  // The frames that this piece completes. kUnavailable: it is no such stream.
  Result<std::vector<DockerFrame>> Add(std::string_view piece);
  // True if a frame has begun and not ended.
  bool Within() const { return !buffer_.empty(); }

 private:
  std::string buffer_;
};

}  // namespace a4c::baremetal
