// A stream of bytes to a program or socket on a server: what SSH offers and HTTP needs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "a4c/call.h"
#include "a4c/result.h"

namespace a4c::baremetal {

// [one thread at a time]
class ByteChannel {
 public:
  virtual ~ByteChannel() = default;
  // At least one byte, or 0 at the end. kUnavailable: the connection is lost.
  virtual Result<size_t> Read(const Call& call, char* buffer, size_t size) = 0;
  // All of it. After an error nothing is known of how much has arrived.
  virtual Result<void> Write(const Call& call, std::string_view bytes) = 0;
  // What the other side said on its error stream so far, for messages.
  virtual std::string Complaint() { return {}; }
  // False if it has ended, or something came that nobody has asked for. Does not wait.
  virtual bool Alive() const { return true; }
};

}  // namespace a4c::baremetal
