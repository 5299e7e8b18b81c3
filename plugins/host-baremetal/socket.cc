#include "socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace a4c::baremetal {
namespace {

constexpr int64_t kStopCheckMs = 100;

Error Lost(const char* what) {
  return Error(Code::kUnavailable,
               std::string("the local socket: ") + what + ": " + std::strerror(errno));
}

class LocalChannel final : public ByteChannel {
 public:
  explicit LocalChannel(Socket socket) : socket_(std::move(socket)) {}

  Result<size_t> Read(const Call& call, char* buffer, size_t size) override {
    while (true) {
      const ssize_t count = recv(socket_.fd(), buffer, size, MSG_DONTWAIT);
      if (count >= 0) return static_cast<size_t>(count);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return Lost("read");
      A4C_CHECK(WaitSocket(call, socket_.fd(), POLLIN));
    }
  }

  Result<void> Write(const Call& call, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          send(socket_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
      if (count >= 0 || errno == EINTR) continue;
      if (errno != EAGAIN) return Lost("write");
      A4C_CHECK(WaitSocket(call, socket_.fd(), POLLOUT));
    }
    return {};
  }

  bool Alive() const override { return !HasNews(socket_.fd()); }

 private:
  const Socket socket_;
};

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Result<void> WaitSocket(const Call& call, int fd, short events) {
  while (true) {
    if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
    if (call.Expired()) return Error(Code::kTimeout, "the deadline has passed");
    pollfd entry{fd, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min(kStopCheckMs, call.RemainingMs())));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) {
      return Error(Code::kUnavailable, std::string("poll: ") + std::strerror(errno));
    }
  }
}

bool HasNews(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, 0) != 0;
}

Result<std::unique_ptr<ByteChannel>> ConnectLocal(const Call& call, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error(Code::kInvalid, "the path of the socket is longer than " +
                                     std::to_string(sizeof(address.sun_path) - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  while (true) {
    Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.fd() < 0) return Lost("socket");
    if (connect(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
      return std::unique_ptr<ByteChannel>(std::make_unique<LocalChannel>(std::move(socket)));
    }
    // Its queue is full: whoever listens is busy.
    if (errno != EAGAIN) {
      return Error(Code::kUnavailable, "cannot connect to " + path + ": " + std::strerror(errno),
                   "does dockerd run there?");
    }
    const auto waited = WaitSocket(call, socket.fd(), 0);
    if (!waited) return waited.error();
  }
}

}  // namespace a4c::baremetal
