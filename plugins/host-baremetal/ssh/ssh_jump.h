// What a session's bytes go over when its server is reached through another one: a channel of the
// SSH session to that one. Nothing of it is decrypted there.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "ssh/ssh_session.h"

namespace a4c::baremetal {

// [one thread at a time]
class SshJump {
 public:
  SshJump(std::unique_ptr<SshSession> session, std::unique_ptr<ByteChannel> channel)
      : session_(std::move(session)), channel_(std::move(channel)) {}

  // As recv(2) and send(2) on a socket that never blocks, but for errors: -errno.
  ssize_t Receive(char* buffer, size_t size);
  ssize_t Send(const char* bytes, size_t size);
  Result<StreamWait> WaitFor(const Clock& clock, bool writing) {
    return channel_->WaitFor(clock, true, writing);
  }
  // Something came already: nothing is to be waited for before Receive.
  bool HasMore() const { return !ahead_.empty() || ended_; }
  // From now on both fail.
  void Cut() { cut_ = true; }

 private:
  Result<std::optional<size_t>> Next(char* buffer, size_t size);
  Result<size_t> WriteSome(std::string_view bytes);

  const std::unique_ptr<SshSession> session_;  // outlives its channel
  const std::unique_ptr<ByteChannel> channel_;
  std::string ahead_;  // came while we were sending
  bool ended_ = false;
  bool cut_ = false;
};

}  // namespace a4c::baremetal
