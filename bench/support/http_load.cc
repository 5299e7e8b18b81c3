#include "bench/support/http_load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "bench/support/runtime.h"

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

// The number after a header's name, in any case, or -1.
int64_t HeaderNumber(std::string_view head, std::string_view name) {
  const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
  const auto found = std::ranges::search(head, name, same);
  if (found.empty()) return -1;
  const auto at = static_cast<size_t>(found.begin() - head.begin());
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

  void Send(const std::string& request, double due) {
    began_ = due;
    is_asked_ = true;
    if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      Die("a request could not be sent whole");
    }
  }

  // Reads what is there; true once the answer is whole. One that the server closes while nothing
  // is asked of it is opened anew.
  bool Receive() {
    std::array<char, 65536> buffer;
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0 && !is_asked_) {
      close(fd_);
      Open();
      return false;
    }
    if (got <= 0) Die("the server closed a connection before its answer");
    in_.append(buffer.data(), static_cast<size_t>(got));
    const size_t head_end = in_.find("\r\n\r\n");
    if (head_end == std::string::npos) return false;
    const std::string_view head = std::string_view(in_).substr(0, head_end);
    body_at_ = head_end + 4;
    const int64_t length = HeaderNumber(head, "Content-Length: ");
    // Chunked: no JSON ends as the last chunk does.
    if (length < 0) return in_.ends_with("\r\n0\r\n\r\n");
    return in_.size() >= body_at_ + static_cast<size_t>(length);
  }

  double took() const { return Seconds() - began_; }
  int status() const { return static_cast<int>(HeaderNumber(in_, "HTTP/1.1 ")); }
  std::string_view body() const { return std::string_view(in_).substr(body_at_); }

  // Ready for the next request.
  void Reset() {
    const bool closed = in_.find("Connection: Close") < body_at_;
    in_.clear();
    is_asked_ = false;
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
  bool is_asked_ = false;
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

namespace {

class Load {
 public:
  explicit Load(const HttpLoad& load) : load_(load) {
    for (int i = 0; i < load.connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(load.port, poll_));
      free_.push_back(connections_.back().get());
    }
  }
  ~Load() { close(poll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadResult Run() {
    do {
      SendDue();
      if (free_.size() < connections_.size() || Due() < end_) Receive();
    } while (free_.size() < connections_.size() || Due() < end_);
    result_.per_second = static_cast<double>(result_.done) / (Seconds() - start_);
    std::ranges::sort(took_);
    result_.p50_ms = took_[took_.size() / 2] * 1e3;
    result_.p99_ms = took_[took_.size() * 99 / 100] * 1e3;
    return std::move(result_);
  }

 private:
  // When the next request goes.
  double Due() const {
    return load_.rate > 0 ? start_ + static_cast<double>(sent_) / load_.rate : Seconds();
  }

  // Of a closed load each connection's first request goes, whatever the time.
  void SendDue() {
    while (!free_.empty()) {
      const double due = Due();
      const bool first = load_.rate == 0 && sent_ < load_.connections;
      if (due > Seconds() || (due >= end_ && !first)) return;
      free_.front()->Send(load_.next(), due);
      free_.pop_front();
      ++sent_;
    }
  }

  void Receive() {
    std::array<epoll_event, 64> events;
    const double wait = free_.empty() || Due() >= end_ ? kAnswerSeconds : Due() - Seconds();
    const int count = Wait(events, std::max(wait, 0.0));
    if (count < 0 || (count == 0 && wait >= kAnswerSeconds)) Die("no answer for 30 s");
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      if (!connection->Receive()) continue;
      Take(load_, *connection, took_, result_);
      free_.push_back(connection);
    }
  }

  // To the nanosecond: a wait of a whole millisecond would count as an answer's.
  int Wait(std::array<epoll_event, 64>& events, double seconds) const {
    const auto whole = static_cast<time_t>(seconds);
    const timespec time = {whole, static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
    return epoll_pwait2(poll_, events.data(), events.size(), &time, nullptr);
  }

  static constexpr double kAnswerSeconds = 30;

  const HttpLoad& load_;
  const int poll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> free_;  // the one that was idle longest first: none is closed for it
  const double start_ = Seconds();
  const double end_ = start_ + load_.seconds;
  int64_t sent_ = 0;
  std::vector<double> took_;
  LoadResult result_;
};

}  // namespace

LoadResult RunHttpLoad(const HttpLoad& load) {
  return Load(load).Run();
}

}  // namespace a4c::bench
