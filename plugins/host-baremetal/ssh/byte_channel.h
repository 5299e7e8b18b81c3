// A stream of bytes to a program or socket on a server: what SSH offers and HTTP needs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/call.h"
#include "a4c/host_streams.h"
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

  // The same without waiting, for streams that go both ways. Nothing: not now.
  virtual Result<std::optional<size_t>> ReadNow(char* buffer, size_t size) = 0;
  // How many bytes were taken. What was not is to be offered again as it was.
  virtual Result<size_t> WriteNow(std::string_view bytes) = 0;
  // The other side sees our end. False: not now.
  virtual Result<bool> EndNow() = 0;
  // See HostStream.
  virtual Result<StreamWait> WaitFor(const Clock& clock, bool reading, bool writing) = 0;
};

}  // namespace a4c::baremetal
