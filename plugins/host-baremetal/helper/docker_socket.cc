#include "docker_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "files.h"

namespace a4c::helper {
namespace {

constexpr size_t kReplyBytesMax = 64u << 20;

Result<Fd> Connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error(Code::kInvalid, "the path of dockerd's socket is too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemError(errno, "dockerd at " + path);
  }
  return fd;
}

// HTTP/1.0: the answer comes in one piece and ends with the connection.
std::string HeadOf(const Request& request) {
  std::string head = request.method + " " + request.target + " HTTP/1.0\r\nHost: docker\r\n";
  if (!request.body.empty()) head += "Content-Type: application/json\r\n";
  return head + "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
}

Error Broken(const std::string& why) {
  return Error(Code::kUnknownOutcome, "dockerd: " + why);
}

Result<Reply> ParseReply(const std::string& text) {
  const size_t end = text.find("\r\n\r\n");
  int status = 0;
  if (end == std::string::npos || !text.starts_with("HTTP/1.") || text.size() < 12) {
    return Broken("it ended before its answer");
  }
  std::from_chars(text.data() + 9, text.data() + 12, status);
  if (status < 100) return Broken("its answer is not HTTP");
  return Reply{status, text.substr(end + 4)};
}

}  // namespace

Result<Reply> AskDocker(const std::string& socket, const Request& request, int patience_s) {
  A4C_TRY(const Fd fd, Connect(socket));
  const timeval patience{.tv_sec = patience_s, .tv_usec = 0};
  if (request.method == "GET" &&
      setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0) {
    return SystemError(errno, "dockerd at " + socket);
  }
  const auto sent = WriteAll(fd.get(), HeadOf(request) + request.body);
  if (!sent) return Broken(sent.error().message());
  std::string text;
  char piece[16384];
  while (true) {
    const ssize_t count = read(fd.get(), piece, sizeof(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      return Error(Code::kTimeout, "dockerd does not answer");
    }
    if (count < 0) return Broken(std::strerror(errno));
    if (count == 0) return ParseReply(text);
    text.append(piece, static_cast<size_t>(count));
    if (text.size() > kReplyBytesMax) return Broken("its answer is longer than 64 MiB");
  }
}

}  // namespace a4c::helper
