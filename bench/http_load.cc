#include "bench/http_load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <vector>

#include "bench/runtime.h"

namespace a4c::bench {
namespace {

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    Die(std::string("cannot connect: ") + std::strerror(errno));
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

// The number after a header's name, or -1.
int64_t HeaderNumber(std::string_view head, std::string_view name) {
  const size_t at = head.find(name);
  if (at == std::string_view::npos) return -1;
  int64_t number = -1;
  std::from_chars(head.data() + at + name.size(), head.data() + head.size(), number);
  return number;
}

class Connection {
 public:
  Connection(int port, int poll) : port_(port), poll_(poll) { Open(); }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Send(const std::string& request) {
    began_ = Seconds();
    if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      Die("a request could not be sent whole");
    }
  }

  // Reads what is there; true once the answer is whole.
  bool Receive() {
    std::array<char, 65536> buffer;
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) Die("the server closed a connection before its answer");
    in_.append(buffer.data(), static_cast<size_t>(got));
    const size_t head_end = in_.find("\r\n\r\n");
    if (head_end == std::string::npos) return false;
    const std::string_view head = std::string_view(in_).substr(0, head_end);
    const int64_t length = HeaderNumber(head, "Content-Length: ");
    if (length < 0) Die("an answer has no Content-Length: " + std::string(head));
    body_at_ = head_end + 4;
    return in_.size() >= body_at_ + static_cast<size_t>(length);
  }

  double took() const { return Seconds() - began_; }
  int status() const { return static_cast<int>(HeaderNumber(in_, "HTTP/1.1 ")); }
  std::string_view body() const { return std::string_view(in_).substr(body_at_); }

  // Ready for the next request.
  void Reset() {
    const bool closed = in_.find("Connection: Close") < body_at_;
    in_.clear();
    if (!closed) return;
    close(fd_);
    Open();
  }

 private:
  void Open() {
    fd_ = Connect(port_);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = this}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, fd_, &event);
  }

  const int port_;
  const int poll_;
  int fd_ = -1;
  double began_ = 0;
  std::string in_;
  size_t body_at_ = 0;
};

void Take(const HttpLoad& load, Connection& connection, std::vector<double>& took,
          LoadResult& result) {
  took.push_back(connection.took());
  const int status = connection.status();
  if (status < 200 || status > 299) {
    ++result.refused[status];
  } else {
    ++result.done;
    if (load.take) load.take(connection.body());
  }
  connection.Reset();
}

}  // namespace

std::string RequestText(std::string_view method, std::string_view path, std::string_view key,
                        std::string_view body, std::string_view more) {
  std::string text;
  text.append(method).append(" ").append(path).append(" HTTP/1.1\r\nHost: a4cd\r\n");
  text.append("Authorization: Bearer ").append(key).append("\r\n").append(more);
  if (!body.empty()) {
    text.append("Content-Type: application/json\r\nContent-Length: ");
    text.append(std::to_string(body.size())).append("\r\n");
  }
  return text.append("\r\n").append(body);
}

LoadResult RunHttpLoad(const HttpLoad& load) {
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < load.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(load.port, poll));
  }
  LoadResult result;
  std::vector<double> took;
  const double start = Seconds();
  for (const auto& connection : connections) connection->Send(load.next());
  int in_flight = load.connections;
  std::array<epoll_event, 64> events;
  while (in_flight > 0) {
    const int count = epoll_wait(poll, events.data(), events.size(), 30'000);
    if (count <= 0) Die("no answer for 30 s");
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      if (!connection.Receive()) continue;
      Take(load, connection, took, result);
      if (Seconds() - start < load.seconds) {
        connection.Send(load.next());
      } else {
        --in_flight;
      }
    }
  }
  result.per_second = static_cast<double>(result.done) / (Seconds() - start);
  std::ranges::sort(took);
  result.p50_ms = took[took.size() / 2] * 1e3;
  result.p99_ms = took[took.size() * 99 / 100] * 1e3;
  close(poll);
  return result;
}

}  // namespace a4c::bench
