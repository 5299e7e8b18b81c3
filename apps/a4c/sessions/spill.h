// Bytes for a descriptor that never blocks. What it does not take at once is kept, and goes first;
// what it takes at once is not copied.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "apps/websocket/byte_queue.h"

namespace a4c_cli {

class Spill {
 public:
  bool empty() const { return kept_.empty(); }
  // Only while it is empty. False: nobody reads there any more.
  bool Write(int fd, std::string_view bytes) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && !NotNow()) return false;
    kept_.Append(bytes.substr(static_cast<size_t>(std::max<ssize_t>(0, count))));
    return true;
  }
  // The same with what is kept.
  bool WriteKept(int fd) {
    const std::string_view bytes = kept_.view();
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count > 0) kept_.Take(static_cast<size_t>(count));
    return count >= 0 || NotNow();
  }

 private:
  static bool NotNow() { return errno == EAGAIN || errno == EINTR; }

  a4c_websocket::ByteQueue kept_;
};

}  // namespace a4c_cli
