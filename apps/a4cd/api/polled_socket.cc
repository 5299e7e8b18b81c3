#include "apps/a4cd/api/polled_socket.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <ctime>

namespace a4cd {
namespace {

namespace net = Poco::Net;

class PolledStreamImpl final : public net::StreamSocketImpl {
 public:
  explicit PolledStreamImpl(poco_socket_t socket) : net::StreamSocketImpl(socket) {}

  bool poll(const Poco::Timespan& timeout, int mode) override {
    pollfd wait{.fd = sockfd(), .events = Events(mode), .revents = 0};
    const timespec limit{timeout.totalSeconds(), timeout.useconds() * 1000L};
    for (;;) {
      const int ready = ppoll(&wait, 1, &limit, nullptr);
      if (ready >= 0) return ready > 0;
      if (errno != EINTR) error();  // after a signal, which is rare, it waits anew
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
