// A socket that closes itself, and waiting for it within a call.
#pragma once

#include <string>

#include "a4c/call.h"
#include "a4c/result.h"
#include "ssh/byte_channel.h"

namespace a4c::baremetal {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Until it is ready for one of poll(2)'s events. kCanceled, kTimeout: the call has ended.
Result<void> WaitSocket(const Call& call, int fd, short events);
// True if something came, or the other side has gone. Does not wait.
bool HasNews(int fd);

// A TCP connection to the first of an address's that takes it; its silences are watched by the
// kernel. kUnavailable: none does, or the name is not known; kCanceled, kTimeout: the call has
// ended.
Result<Socket> ConnectTcp(const Call& call, const std::string& address, int port,
                          int64_t keepalive_interval_ms);
// A stream over a socket that is connected.
std::unique_ptr<ByteChannel> NewSocketChannel(Socket socket);
// A stream to a Unix socket of this machine. kUnavailable: nobody listens there.
Result<std::unique_ptr<ByteChannel>> ConnectLocal(const Call& call, const std::string& path);

}  // namespace a4c::baremetal
