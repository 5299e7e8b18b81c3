#include "ssh/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "a4c/resolve.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kStopCheckMs = 100;
constexpr int64_t kFullQueueWaitMs = 10;

Error Lost(const char* what) {
  return Error(Code::kUnavailable,
               std::string("the local socket: ") + what + ": " + std::strerror(errno));
}

Result<void> CheckTime(const Call& call) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  if (call.Expired()) return Error(Code::kTimeout, "the deadline has passed");
  return {};
}

// Until it stands, or the call ends.
Result<void> AwaitConnected(const Call& call, const Socket& socket) {
  A4C_CHECK(WaitSocket(call, socket.fd(), POLLOUT));
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return {};
  return Error(Code::kUnavailable, std::strerror(error));
}

// The kernel asks a connection that nobody uses, so that one that has died is known before it is
// used again, and gives up one on which what is written is not acknowledged.
void WatchSilence(int fd, int64_t interval_ms) {
  const int on = 1;
  const int seconds = static_cast<int>(std::max<int64_t>(1, interval_ms / 1000));
  const int probes = 2;
  const auto silence_ms = static_cast<unsigned>(2 * interval_ms);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof(silence_ms));
}

Result<Socket> ConnectOne(const Call& call, const addrinfo& to, int64_t keepalive_interval_ms) {
  Socket socket(::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd() < 0) return Error(Code::kUnavailable, std::strerror(errno));
  WatchSilence(socket.fd(), keepalive_interval_ms);
  if (connect(socket.fd(), to.ai_addr, to.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return Error(Code::kUnavailable, std::strerror(errno));
  A4C_CHECK(AwaitConnected(call, socket));
  return socket;
}

// address: in numbers, so that nobody is asked.
Result<Socket> ConnectNumeric(const Call& call, const std::string& address, int port,
                              int64_t keepalive_interval_ms) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int rc = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (rc != 0) return Error(Code::kUnavailable, gai_strerror(rc));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, freeaddrinfo);
  return ConnectOne(call, *found, keepalive_interval_ms);
}

class SocketChannel final : public ByteChannel {
 public:
  explicit SocketChannel(Socket socket) : socket_(std::move(socket)) {}

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

  Result<std::optional<size_t>> ReadNow(char* buffer, size_t size) override {
    const ssize_t count = recv(socket_.fd(), buffer, size, MSG_DONTWAIT);
    if (count >= 0) return std::optional(static_cast<size_t>(count));
    if (errno == EAGAIN || errno == EINTR) return std::optional<size_t>();
    return Lost("read");
  }

  Result<size_t> WriteNow(std::string_view bytes) override {
    const ssize_t count =
        send(socket_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EAGAIN || errno == EINTR) return size_t{0};
    return Lost("write");
  }

  Result<bool> EndNow() override {
    if (shutdown(socket_.fd(), SHUT_WR) == 0 || errno == ENOTCONN) return true;
    return Lost("shutdown");
  }

  Result<StreamWait> WaitFor(const Clock&, bool reading, bool writing) override {
    // Not even for the other side's end, if nothing is wanted.
    if (!reading && !writing) return StreamWait{};
    return StreamWait{
        .fd = socket_.fd(),
        .events = static_cast<short>((reading ? POLLIN : 0) | (writing ? POLLOUT : 0))};
  }

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
    A4C_CHECK(CheckTime(call));
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

Result<Socket> ConnectTcp(const Call& call, const std::string& address, int port,
                          int64_t keepalive_interval_ms) {
  A4C_TRY(const std::vector<std::string> addresses, ResolveHost(call, address));
  Error last(Code::kUnavailable, "no address");
  for (const std::string& to : addresses) {
    auto socket = ConnectNumeric(call, to, port, keepalive_interval_ms);
    if (socket) return socket;
    last = socket.error();
    if (call.Expired() || call.Stopping()) break;
  }
  return last;
}

std::unique_ptr<ByteChannel> NewSocketChannel(Socket socket) {
  return std::make_unique<SocketChannel>(std::move(socket));
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
      return NewSocketChannel(std::move(socket));
    }
    // Its queue is full: whoever listens is busy. Nothing can be waited for: the socket of a
    // connection that was not begun is ready at once.
    if (errno != EAGAIN) {
      return Error(Code::kUnavailable, "cannot connect to " + path + ": " + std::strerror(errno),
                   "does dockerd run there?");
    }
    A4C_CHECK(CheckTime(call));
    poll(nullptr, 0, static_cast<int>(std::min(kFullQueueWaitMs, call.RemainingMs())));
  }
}

}  // namespace a4c::baremetal
