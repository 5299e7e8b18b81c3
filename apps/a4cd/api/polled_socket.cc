#include "apps/a4cd/api/polled_socket.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>

namespace a4cd {
namespace {

namespace net = Poco::Net;

class PolledStreamImpl final : public net::StreamSocketImpl {
 public:
  explicit PolledStreamImpl(poco_socket_t socket) : net::StreamSocketImpl(socket) {}

  bool poll(const Poco::Timespan& timeout, int mode) override {
    using std::chrono::steady_clock;
    pollfd wait{.fd = sockfd(), .events = Events(mode), .revents = 0};
    const auto until = steady_clock::now() +
                       std::chrono::microseconds(std::max<int64_t>(timeout.totalMicroseconds(), 0));
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
      const int ready =
          ::poll(&wait, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, INT_MAX)));
      if (ready >= 0) return ready > 0;
      if (errno != EINTR) error();
    }
  }

 private:
  static short Events(int mode) {
    return static_cast<short>(((mode & SELECT_READ) != 0 ? POLLIN : 0) |
                              ((mode & SELECT_WRITE) != 0 ? POLLOUT : 0));
  }
};

class PolledServerImpl final : public net::ServerSocketImpl {
 public:
  net::SocketImpl* acceptConnection(net::SocketAddress& client) override {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    for (;;) {
      const int socket =
          ::accept4(sockfd(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_CLOEXEC);
      if (socket >= 0) {
        client = net::SocketAddress(reinterpret_cast<const sockaddr*>(&address), length);
        return new PolledStreamImpl(socket);
      }
      if (errno != EINTR) error();
    }
  }
};

}  // namespace

PolledServerSocket::PolledServerSocket() : net::ServerSocket(new PolledServerImpl, true) {}

}  // namespace a4cd
