#include "tests/fake_engine.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace a4c::baremetal {
namespace {

constexpr int kPollMs = 20;
constexpr size_t kEndlessBytes = 64u << 10;

int Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
  unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(fd, 4096) != 0) {
    std::abort();
  }
  return fd;
}

std::string Reply(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

struct FakeEngine::Peer {
  int fd;
  std::string in = {};
  bool endless = false;
  bool switched = false;  // what comes now is no HTTP
  bool done = false;
};

FakeEngine::FakeEngine(Threads& threads, std::string path)
    : path_(std::move(path)), listener_(Listen(path_)) {
  thread_ = threads.Start("fake-engine", [this](const std::stop_token& stop) { Run(stop); });
}

FakeEngine::~FakeEngine() {
  thread_.reset();
  close(listener_);
  unlink(path_.c_str());
}

void FakeEngine::SetStream(std::string bytes, bool ends) {
  const std::lock_guard lock(mutex_);
  stream_ = std::move(bytes);
  stream_ends_ = ends;
}

void FakeEngine::SetExitCode(int code) {
  const std::lock_guard lock(mutex_);
  exit_code_ = code;
}

void FakeEngine::SetState(std::string state) {
  const std::lock_guard lock(mutex_);
  state_ = std::move(state);
}

void FakeEngine::SetStartError(std::string message) {
  const std::lock_guard lock(mutex_);
  start_error_ = std::move(message);
}

void FakeEngine::SetAnswer(const std::string& request, const std::string& status,
                           const std::string& body) {
  const std::lock_guard lock(mutex_);
  answers_[request] = Reply(status, body);
}

void FakeEngine::SetAnswerToMany(const std::string& target, size_t count, const std::string& body) {
  const std::lock_guard lock(mutex_);
  many_target_ = target;
  many_answer_ = Reply("200 OK", body);
  many_count_ = count;
}

// True: it is not answered now.
bool FakeEngine::HoldBack(const std::string& head, int fd) {
  const std::lock_guard lock(mutex_);
  if (many_target_.empty() || head.find(many_target_) == std::string::npos) return false;
  many_waiting_.push_back(fd);
  if (many_waiting_.size() < many_count_) return true;
  for (const int waiting : std::exchange(many_waiting_, {})) {
    (void)send(waiting, many_answer_.data(), many_answer_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  return true;
}

std::string FakeEngine::Heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

// Empty: none was set.
std::string FakeEngine::SetAnswerTo(const std::string& head) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [request, answer] : answers_) {
    const size_t space = request.find(' ');
    const bool is_method = head.starts_with(request.substr(0, space + 1));
    if (is_method && head.find(request.substr(space + 1)) != std::string::npos) return answer;
  }
  return "";
}

// Empty: it is about no container that there is.
std::string FakeEngine::ContainerAnswerTo(const std::string& head) {
  const std::lock_guard lock(mutex_);
  const auto is = [&](const std::string& method, const char* target) {
    return head.starts_with(method + " ") && head.find(target) != std::string::npos;
  };
  if (is("POST", "/volumes/create ")) return Reply("201 Created", "{}");
  if (is("POST", "/containers/create?name=unit-1 ")) {
    if (!state_.empty()) return Reply("409 Conflict", R"({"message":"the name is in use"})");
    state_ = "created";
    return Reply("201 Created", R"({"Id":"c1"})");
  }
  if (state_.empty()) return "";
  if (is("DELETE", "/containers/c1?")) {
    state_.clear();
    start_error_.clear();
    return Reply("200 OK", "");
  }
  if (is("POST", "/containers/c1/start ")) {
    if (!start_error_.empty()) {
      return Reply("500 Internal Server Error", R"({"message":")" + start_error_ + R"("})");
    }
    state_ = "running";
    return Reply("200 OK", "");
  }
  if (!is("GET", "/containers/unit-1/json ")) return "";
  return Reply("200 OK", R"({"Id":"c1","Name":"/unit-1","State":{"Status":")" + state_ +
                             R"(","Running":)" + (state_ == "running" ? "true" : "false") +
                             R"(},"Config":{"Labels":{"a4c.cluster":"test",)"
                             R"("a4c.unit":"unit-1"}},"NetworkSettings":{"Networks":{)"
                             R"("none":{"IPAddress":""}}}})");
}

// Empty: it is about no exec.
std::string FakeEngine::ExecAnswerTo(const std::string& head, Peer& peer) const {
  const std::lock_guard lock(mutex_);
  const auto is = [&](const char* text) { return head.find(text) != std::string::npos; };
  if (is("/containers/c1/exec ")) return Reply("201 Created", R"({"Id":"exec-1"})");
  if (is("/exec/exec-1/json ")) {
    return Reply("200 OK", R"({"Running":false,"ExitCode":)" + std::to_string(exit_code_) + "}");
  }
  if (is("/exec/exec-1/resize?")) return Reply("200 OK", "");
  if (!is("/exec/exec-1/start ")) return "";
  if (!is("Upgrade: tcp")) return Reply("200 OK", "");
  peer.switched = true;
  peer.done = stream_ends_;
  return "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
         "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n" +
         stream_;
}

std::string FakeEngine::AnswerTo(const std::string& head) const {
  if (mood_ == EngineMood::kGarbage) return "\x01\x02 what? \r\n\r\n\xff\xfe";
  if (head.find("/version ") != std::string::npos) {
    return Reply("200 OK", R"({"Version":"20.10.24+dfsg1","ApiVersion":"1.41","Arch":"amd64"})");
  }
  if (head.find("/info ") != std::string::npos) {
    return Reply("200 OK", R"({"MemTotal":8589934592,"NCPU":4,"DockerRootDir":"/"})");
  }
  if (head.find("/containers/json") != std::string::npos) return Reply("200 OK", "[]");
  if (head.find("/volumes?") != std::string::npos) return Reply("200 OK", R"({"Volumes":[]})");
  if (head.find("/images/busybox%3Alocal/json ") != std::string::npos) {
    return Reply("200 OK", R"({"Id":"sha256:1","Config":{}})");
  }
  if (head.find("/_ping ") != std::string::npos) return Reply("200 OK", "OK");
  return Reply("404 Not Found", R"({"message":"no such thing"})");
}

// False once the connection is to be closed.
bool FakeEngine::Serve(Peer& peer) {
  char piece[4096];
  const ssize_t count = recv(peer.fd, piece, sizeof(piece), MSG_DONTWAIT);
  if (count <= 0) return false;
  if (peer.switched) return true;
  peer.in.append(piece, static_cast<size_t>(count));
  {
    const std::lock_guard lock(mutex_);
    heard_.append(piece, static_cast<size_t>(count));
  }
  for (size_t end; (end = peer.in.find("\r\n\r\n")) != std::string::npos;) {
    const std::string head = peer.in.substr(0, end);
    peer.in.clear();  // bodies come in the same piece here
    ++requests_;
    const EngineMood mood = mood_;
    if (mood == EngineMood::kClosing) return false;
    if (mood == EngineMood::kSilent || HoldBack(head, peer.fd)) continue;
    std::string answer = mood == EngineMood::kWell ? SetAnswerTo(head) : "";
    if (mood == EngineMood::kWell && answer.empty()) answer = ContainerAnswerTo(head);
    if (mood == EngineMood::kWell && answer.empty()) answer = ExecAnswerTo(head, peer);
    if (mood == EngineMood::kRefusing) {
      answer = Reply("400 Bad Request", R"({"message":"refused early"})");
      peer.done = true;
    }
    if (answer.empty()) answer = AnswerTo(head);
    if (mood == EngineMood::kEndless) {
      answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
      peer.endless = true;
    }
    (void)send(peer.fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  return !peer.done;
}

void FakeEngine::Run(const std::stop_token& stop) {
  std::vector<Peer> peers;
  const std::string chunk = "10000\r\n" + std::string(kEndlessBytes, ' ') + "\r\n";
  while (!stop.stop_requested()) {
    std::vector<pollfd> entries{{listener_, POLLIN, 0}};
    for (const Peer& peer : peers) {
      entries.push_back({peer.fd, static_cast<short>(peer.endless ? POLLOUT : POLLIN), 0});
    }
    if (poll(entries.data(), entries.size(), kPollMs) <= 0) continue;
    for (size_t i = peers.size(); i-- > 0;) {
      if (entries[i + 1].revents == 0) continue;
      const bool goes_on = peers[i].endless
                               ? send(peers[i].fd, chunk.data(), chunk.size(), MSG_NOSIGNAL) > 0
                               : Serve(peers[i]);
      if (goes_on) continue;
      close(peers[i].fd);
      peers.erase(peers.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (int fd; (entries[0].revents != 0) &&
                 (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      peers.push_back({fd});
    }
  }
  for (const Peer& peer : peers) close(peer.fd);
}

}  // namespace a4c::baremetal
