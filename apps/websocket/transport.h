// What carries the bytes of a connection and never waits: a socket, or TLS over one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string_view>

namespace a4c_websocket {

// [one thread at a time]
class Transport {
 public:
  virtual ~Transport() = default;
  // As recv(2) and send(2): a count; -1: errno says why, EAGAIN: not now; received 0: the end.
  // Whoever waits has received until it was "not now": poll(2) knows nothing of bytes that were
  // taken from the descriptor and not yet given out.
  virtual ssize_t Receive(char* bytes, size_t count) = 0;
  virtual ssize_t Send(std::string_view bytes) = 0;
  virtual int fd() const = 0;
  // For poll(2) of that descriptor. TLS may have to write before it can read on.
  virtual short Events(bool receiving, bool sending) const = 0;
};

}  // namespace a4c_websocket
