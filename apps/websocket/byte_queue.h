// Bytes that are on their way: added behind, taken from the front in pieces of any size. What was
// taken is moved over at most once for each byte, so that a long queue costs no more than a short.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace a4c_websocket {

class ByteQueue {
 public:
  bool empty() const { return size() == 0; }
  size_t size() const { return bytes_.size() - taken_; }
  // All that waits; valid until the next change.
  std::string_view view() const { return std::string_view(bytes_).substr(taken_); }

  void Append(std::string_view bytes) {
    if (taken_ > bytes_.size() / 2) {
      bytes_.erase(0, taken_);
      taken_ = 0;
    }
    bytes_ += bytes;
  }
  // Of those in front.
  void Take(size_t count) {
    taken_ += count;
    if (taken_ < bytes_.size()) return;
    bytes_.clear();
    taken_ = 0;
  }

 private:
  std::string bytes_;
  size_t taken_ = 0;
};

}  // namespace a4c_websocket
