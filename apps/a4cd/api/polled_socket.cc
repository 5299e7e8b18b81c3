#include "apps/a4cd/api/polled_socket.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

namespace net = Poco::Net;

constexpr int64_t kLingerMs = 1'000;
constexpr int64_t kLingerBytesMax = 16 << 20;

// All that Poco says of a head that it cannot read. An answer of ours has more lines than these.
constexpr std::string_view kBare = "HTTP/1.1 400 Bad Request\r\nConnection: Close\r\n\r\n";

// The limits are Poco's own, which it keeps to itself.
std::string AnswerToUnreadable() {
  const Response problem = ProblemResponse(
      {.status = 400,
       .type = "invalid",
       .detail = "the head of the request cannot be read: it is too long, or no HTTP",
       .hint = "path and query have at most 16384 bytes, the method 32, a field's name 256 and its "
               "value 8192; there are at most 100 fields"});
  return "HTTP/1.1 400 Bad Request\r\nContent-Type: " + problem.content_type +
         "\r\nConnection: close\r\nContent-Length: " + std::to_string(problem.body.size()) +
         "\r\n\r\n" + problem.body;
}

class PolledStreamImpl final : public net::StreamSocketImpl {
 public:
  PolledStreamImpl(poco_socket_t socket, const a4c::Clock& clock)
      : net::StreamSocketImpl(socket), clock_(clock) {}

  bool poll(const Poco::Timespan& timeout, int mode) override {
    pollfd wait{.fd = sockfd(), .events = Events(mode), .revents = 0};
    const timespec limit{timeout.totalSeconds(), timeout.useconds() * 1000L};
    for (;;) {
      const int ready = ppoll(&wait, 1, &limit, nullptr);
      if (ready >= 0) return ready > 0;
      if (errno != EINTR) error();  // after a signal, which is rare, it waits anew
    }
  }

  int receiveBytes(void* buffer, int length, int flags) override {
    const int got = net::StreamSocketImpl::receiveBytes(buffer, length, flags);
    asked_ = asked_ || got > 0;
    return got;
  }

  // Only where an answer begins: what streams over a connection later may be these bytes too.
  int sendBytes(const void* buffer, int length, int flags) override {
    const std::string_view bytes(static_cast<const char*>(buffer), static_cast<size_t>(length));
    if (!std::exchange(asked_, false) || bytes != kBare) {
      return net::StreamSocketImpl::sendBytes(buffer, length, flags);
    }
    static const std::string kAnswer = AnswerToUnreadable();
    net::StreamSocketImpl::sendBytes(kAnswer.data(), static_cast<int>(kAnswer.size()), flags);
    Linger(*this, clock_);
    return length;
  }

 private:
  static short Events(int mode) {
    return static_cast<short>(((mode & SELECT_READ) != 0 ? POLLIN : 0) |
                              ((mode & SELECT_WRITE) != 0 ? POLLOUT : 0));
  }

  const a4c::Clock& clock_;
  bool asked_ = false;  // something came since something was sent
};

class PolledServerImpl final : public net::ServerSocketImpl {
 public:
  explicit PolledServerImpl(const a4c::Clock& clock) : clock_(clock) {}

  net::SocketImpl* acceptConnection(net::SocketAddress& client) override {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    for (;;) {
      const int socket =
          ::accept4(sockfd(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_CLOEXEC);
      if (socket >= 0) {
        client = net::SocketAddress(reinterpret_cast<const sockaddr*>(&address), length);
        return new PolledStreamImpl(socket, clock_);
      }
      if (errno != EINTR) error();
    }
  }

 private:
  const a4c::Clock& clock_;
};

}  // namespace

PolledServerSocket::PolledServerSocket(const a4c::Clock& clock)
    : net::ServerSocket(new PolledServerImpl(clock), true) {}

void Linger(net::SocketImpl& socket, const a4c::Clock& clock) {
  const int64_t until_ms = clock.MonotonicMs() + kLingerMs;
  std::array<char, 16384> dropped{};
  int64_t left = kLingerBytesMax;
  try {
    socket.shutdownSend();
    socket.setReceiveTimeout(Poco::Timespan(kLingerMs * 1000 / 4));
    while (left > 0 && clock.MonotonicMs() < until_ms) {
      const int got = socket.receiveBytes(dropped.data(), static_cast<int>(dropped.size()));
      if (got <= 0) return;
      left -= got;
    }
  } catch (const Poco::Exception&) {
    return;  // silent, or gone
  }
}

}  // namespace a4cd
