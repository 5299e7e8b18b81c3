#include "apps/a4cd/api/polled_socket.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "apps/a4cd/api/problem.h"

namespace a4cd {
namespace {

namespace net = Poco::Net;

constexpr int64_t kIdleMs = 1'000;
constexpr int64_t kLingerMs = 1'000;
constexpr int64_t kLingerBytesMax = 16 << 20;

// All that Poco says of a head that it cannot read. An answer of ours has more lines than these.
constexpr std::string_view kBare = "HTTP/1.1 400 Bad Request\r\nConnection: Close\r\n\r\n";

std::string AnswerOf(const Problem& problem, const char* first_line) {
  const Response response = ProblemResponse(problem);
  return std::string(first_line) + "\r\nContent-Type: " + response.content_type +
         "\r\nConnection: close\r\nContent-Length: " + std::to_string(response.body.size()) +
         "\r\n\r\n" + response.body;
}

// The limits are Poco's own, which it keeps to itself.
const std::string& AnswerToUnreadable() {
  static const std::string kAnswer = AnswerOf(
      {.status = 400,
       .type = "invalid",
       .detail = "the head of the request cannot be read: it is too long, or no HTTP",
       .hint = "path and query have at most 16384 bytes, the method 32, a field's name 256 and its "
               "value 8192; there are at most 100 fields"},
      "HTTP/1.1 400 Bad Request");
  return kAnswer;
}

const std::string& AnswerToSlow() {
  static const std::string kAnswer =
      AnswerOf({.status = 408,
                .type = "timeout",
                .detail = "the head of the request did not come in time",
                .hint = "it has api.request_timeout, a second while others wait; is the network "
                        "slow?"},
               "HTTP/1.1 408 Request Timeout");
  return kAnswer;
}

struct ServerTraits {
  const a4c::Clock& clock;
  int64_t head_timeout_ms;
  std::function<bool()> is_crowded;
};

class PolledStreamImpl final : public net::StreamSocketImpl {
 public:
  PolledStreamImpl(poco_socket_t socket, std::shared_ptr<const ServerTraits> server)
      : net::StreamSocketImpl(socket), server_(std::move(server)) {}

  // Poco waits for a request here, if nothing of it has come yet.
  bool poll(const Poco::Timespan& timeout, int mode) override {
    idle_ = until_ms_ == 0;
    return idle_ ? WaitIdle(timeout, mode) : Wait(timeout, mode);
  }

  int receiveBytes(void* buffer, int length, int flags) override {
    return in_head_ ? ReceiveHead(buffer, length, flags) : ReceiveRest(buffer, length, flags);
  }

  // What streams over a connection later may be these bytes too.
  int sendBytes(const void* buffer, int length, int flags) override {
    const std::string_view bytes(static_cast<const char*>(buffer), static_cast<size_t>(length));
    if (!in_head_ || bytes != kBare) {
      return net::StreamSocketImpl::sendBytes(buffer, length, flags);
    }
    Refuse(AnswerToUnreadable());
    return length;
  }

  std::string SendAnswer(std::string_view answer, int64_t until_ms) {
    const int64_t begun_ms = server_->clock.MonotonicMs();
    while (!answer.empty()) {
      const ssize_t sent =
          ::send(sockfd(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) {
        answer.remove_prefix(static_cast<size_t>(sent));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!AwaitRoom(begun_ms, until_ms)) return std::string(answer);
      } else if (errno != EINTR) {
        error();
      }
    }
    return {};
  }

  void BeginBody(const BodyBound& bound) {
    in_head_ = false;
    until_ms_ = bound.until_ms;
    rate_min_ = bound.rate_min;
    may_be_slow_ = bound.may_be_slow;
    came_ = waited_ms_ = 0;
  }

  void BeginHead() {
    in_head_ = true;
    until_ms_ = 0;
    idle_ = false;
  }

 private:
  bool WaitIdle(const Poco::Timespan& timeout, int mode) {
    for (int64_t left_ms = timeout.totalMilliseconds();; left_ms -= kIdleMs) {
      if (Wait(Poco::Timespan(std::min(left_ms, kIdleMs) * 1000), mode)) return true;
      if (left_ms <= kIdleMs || server_->is_crowded()) return false;
    }
  }

  static short Events(int mode) {
    return static_cast<short>(((mode & SELECT_READ) != 0 ? POLLIN : 0) |
                              ((mode & SELECT_WRITE) != 0 ? POLLOUT : 0));
  }

  bool Wait(const Poco::Timespan& timeout, int mode) {
    pollfd wait{.fd = sockfd(), .events = Events(mode), .revents = 0};
    const timespec limit{timeout.totalSeconds(), timeout.useconds() * 1000L};
    for (;;) {
      const int ready = ppoll(&wait, 1, &limit, nullptr);
      if (ready >= 0) return ready > 0;
      if (errno != EINTR) error();  // after a signal, which is rare, it waits anew
    }
  }

  // Until the client takes more of its answer. False: the thread is wanted by others.
  bool AwaitRoom(int64_t begun_ms, int64_t until_ms) {
    until_ms = std::min(until_ms, server_->clock.MonotonicMs() + server_->head_timeout_ms);
    for (;;) {
      const int64_t now_ms = server_->clock.MonotonicMs();
      if (now_ms >= until_ms) throw Poco::TimeoutException("an answer was not taken in time");
      if (now_ms - begun_ms >= kIdleMs && server_->is_crowded()) return false;
      const int64_t wait_ms = std::min(until_ms - now_ms, kIdleMs);
      if (Wait(Poco::Timespan(wait_ms * 1000), SELECT_WRITE)) return true;
    }
  }

  // One that is slow to come has its thread only while nobody else waits for it: who sends it has
  // shown no key yet.
  bool HeadComesInTime() {
    for (;;) {
      const int64_t left_ms = until_ms_ - server_->clock.MonotonicMs();
      const bool is_slow = left_ms <= server_->head_timeout_ms - kIdleMs;
      if (left_ms <= 0 || (is_slow && server_->is_crowded())) return false;
      if (Wait(Poco::Timespan(std::min(left_ms, kIdleMs) * 1000), SELECT_READ)) return true;
    }
  }

  bool BodyComesInTime() {
    for (;;) {
      const int64_t begun_ms = server_->clock.MonotonicMs();
      int64_t left_ms = until_ms_ - begun_ms;
      if (left_ms <= 0) return false;
      if (may_be_slow_) left_ms = std::min(left_ms, std::max<int64_t>(0, kIdleMs - waited_ms_));
      const bool comes = Wait(Poco::Timespan(left_ms * 1000), SELECT_READ);
      waited_ms_ += server_->clock.MonotonicMs() - begun_ms;
      if (comes) return true;
      if (may_be_slow_ && waited_ms_ >= kIdleMs && !std::exchange(may_be_slow_, {})()) return false;
    }
  }

  // The first bytes are there already: they were waited for by poll().
  int ReceiveHead(void* buffer, int length, int flags) {
    const bool first = std::exchange(idle_, false);
    if (until_ms_ == 0) {
      until_ms_ = server_->clock.MonotonicMs() + server_->head_timeout_ms;
    } else if (!HeadComesInTime()) {
      Refuse(AnswerToSlow());
      throw Poco::TimeoutException("the head of a request did not come in time");
    }
    const int got = net::StreamSocketImpl::receiveBytes(buffer, length, flags);
    if (got == 0 && !first) throw net::ConnectionAbortedException("the head of a request ended");
    return got;
  }

  int ReceiveRest(void* buffer, int length, int flags) {
    if ((until_ms_ > 0 && !BodyComesInTime()) || (rate_min_ > 0 && !ComesAtItsRate())) {
      throw Poco::TimeoutException("the body of a request did not come in time");
    }
    const int got = net::StreamSocketImpl::receiveBytes(buffer, length, flags);
    came_ += std::max(got, 0);
    return got;
  }

  // What the handler did between two reads is not the client's time.
  bool ComesAtItsRate() {
    const int64_t late_ms = waited_ms_ - came_ * 1000 / rate_min_;
    const int64_t left_ms = std::min(server_->head_timeout_ms, server_->head_timeout_ms - late_ms);
    const int64_t begun_ms = server_->clock.MonotonicMs();
    const bool comes = left_ms > 0 && Wait(Poco::Timespan(left_ms * 1000), SELECT_READ);
    waited_ms_ += server_->clock.MonotonicMs() - begun_ms;
    return comes;
  }

  void Refuse(const std::string& answer) {
    net::StreamSocketImpl::sendBytes(answer.data(), static_cast<int>(answer.size()), 0);
    Linger(*this, server_->clock);
  }

  const std::shared_ptr<const ServerTraits> server_;
  bool in_head_ = true;   // also: none has begun
  bool idle_ = false;     // nothing of the next head has come: the other side may go
  int64_t until_ms_ = 0;  // for the head that has begun, or the body; 0: none
  int64_t rate_min_ = 0;  // of the body; 0: none
  int64_t came_ = 0;      // of it
  int64_t waited_ms_ = 0;
  std::function<bool()> may_be_slow_;  // nothing: it may
};

PolledStreamImpl& Polled(net::SocketImpl& socket) {
  return dynamic_cast<PolledStreamImpl&>(socket);
}

class PolledServerImpl final : public net::ServerSocketImpl {
 public:
  explicit PolledServerImpl(ServerTraits traits)
      : traits_(std::make_shared<const ServerTraits>(std::move(traits))) {}

  net::SocketImpl* acceptConnection(net::SocketAddress& client) override {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    for (;;) {
      const int socket =
          ::accept4(sockfd(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_CLOEXEC);
      if (socket >= 0) {
        client = net::SocketAddress(reinterpret_cast<const sockaddr*>(&address), length);
        return new PolledStreamImpl(socket, traits_);
      }
      if (errno != EINTR) error();
    }
  }

 private:
  const std::shared_ptr<const ServerTraits> traits_;
};

}  // namespace

PolledServerSocket::PolledServerSocket(const a4c::Clock& clock, int64_t head_timeout_ms,
                                       std::function<bool()> is_crowded)
    : net::ServerSocket(new PolledServerImpl({clock, head_timeout_ms, std::move(is_crowded)}),
                        true) {}

void BeginBody(net::SocketImpl& socket, const BodyBound& bound) {
  Polled(socket).BeginBody(bound);
}

std::string SendAnswer(net::SocketImpl& socket, std::string_view answer, int64_t until_ms) {
  return Polled(socket).SendAnswer(answer, until_ms);
}

void BeginHead(net::SocketImpl& socket) {
  Polled(socket).BeginHead();
}

void Linger(net::SocketImpl& socket, const a4c::Clock& clock) {
  BeginBody(socket, {});
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
