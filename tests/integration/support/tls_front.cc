#include "tests/integration/support/tls_front.h"

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "a4c/sinks.h"

namespace a4cd {
namespace {

constexpr size_t kBytesMax = 256u << 10;  // on their way, in each direction
constexpr int kLookMs = 20;               // at whether it is to end

const a4c::Runtime& TheRuntime() {
  static const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  return runtime;
}

std::shared_ptr<SSL_CTX> ContextOf(const Identity& identity) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), identity.certificate.get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), identity.key.get()), 1);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

// One connection, from its handshake to its end.
class Served {
 public:
  Served(SSL_CTX* context, const Poco::Net::StreamSocket& client, const TlsFrontOptions& options,
         const std::stop_token& stop)
      : client_(client), options_(options), stop_(stop), ssl_(SSL_new(context), SSL_free) {
    client_.setBlocking(false);
    SSL_set_fd(ssl_.get(), client_.impl()->sockfd());
  }

  bool Accept() {
    while (true) {
      ERR_clear_error();
      const int done = SSL_accept(ssl_.get());
      if (done == 1) return true;
      if (!IsLater(done) || !Wait(POLLIN, -1, 0)) return false;
    }
  }

  // The head of the first request, for the server; empty: there is none for it.
  std::string FirstHead(std::atomic<int64_t>& heard) {
    while (FromClient(heard) && up_.find("\r\n\r\n") == up_.npos) {
      if (!Wait(POLLIN, -1, 0)) return {};
    }
    if (up_.find("\r\n\r\n") == up_.npos) return {};
    const size_t path = up_.find(' ') + 1;
    if (up_.compare(path, options_.prefix.size() + 1, options_.prefix + "/") != 0) return {};
    up_.erase(path, options_.prefix.size());
    // With a prefix to be taken off, each request has a connection.
    const bool is_upgrade = up_.substr(0, up_.find("\r\n\r\n")).find("Upgrade") != up_.npos;
    if (!is_upgrade && !options_.prefix.empty()) {
      const size_t line = up_.find("\r\n");
      const size_t kept = up_.find("Connection:");
      if (kept != up_.npos) up_.erase(kept, up_.find("\r\n", kept) + 2 - kept);
      up_.insert(line + 2, "Connection: close\r\n");
    }
    return std::move(up_);
  }

  void Relay(const Poco::Net::StreamSocket& server, std::string first,
             std::atomic<int64_t>& heard) {
    up_ = std::move(first);
    const int fd = server.impl()->sockfd();
    bool server_ended = false;
    while (true) {
      if (up_.size() < kBytesMax && !FromClient(heard)) return;
      server_ended = server_ended || !FromServer(fd);
      if (!server_ended && !ToServer(fd)) return;
      if (!ToClient()) return;
      if (server_ended && down_.empty()) break;
      const bool hears = up_.size() < kBytesMax;
      const auto client = static_cast<short>((hears ? POLLIN : 0) | (down_.empty() ? 0 : POLLOUT));
      const auto events =
          static_cast<short>((down_.size() < kBytesMax ? POLLIN : 0) | (up_.empty() ? 0 : POLLOUT));
      if (!Wait(client, server_ended ? -1 : fd, events)) return;
    }
    SSL_shutdown(ssl_.get());
  }

  void Refuse() {
    down_ = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    ToClient();
    SSL_shutdown(ssl_.get());
  }

  // To one that speaks no TLS. What is left unread would take the answer with it.
  void RefuseInWords() {
    const std::string& answer = options_.plain_answer;
    if (!answer.empty()) {
      send(client_.impl()->sockfd(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    client_.shutdownSend();
    std::array<char, 4096> piece;
    while (Wait(POLLIN, -1, 0) &&
           recv(client_.impl()->sockfd(), piece.data(), piece.size(), MSG_DONTWAIT) > 0) {
    }
  }

 private:
  bool IsLater(int done) const {
    const int why = SSL_get_error(ssl_.get(), done);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  }

  // False: it is to end.
  bool Wait(short client, int server_fd, short server) const {
    std::array<pollfd, 2> fds = {{{client_.impl()->sockfd(), client, 0}, {server_fd, server, 0}}};
    while (!stop_.stop_requested()) {
      if (poll(fds.data(), fds.size(), kLookMs) > 0) return true;
    }
    return false;
  }

  bool FromClient(std::atomic<int64_t>& heard) {
    std::array<char, 32768> piece;
    size_t got = 0;
    ERR_clear_error();
    while (up_.size() < kBytesMax) {
      if (SSL_read_ex(ssl_.get(), piece.data(), piece.size(), &got) != 1) return IsLater(0);
      up_.append(piece.data(), got);
      heard += static_cast<int64_t>(got);
    }
    return true;
  }

  bool ToClient() {
    size_t sent = 0;
    ERR_clear_error();
    while (!down_.empty()) {
      if (SSL_write_ex(ssl_.get(), down_.data(), down_.size(), &sent) != 1) return IsLater(0);
      down_.erase(0, sent);
    }
    return true;
  }

  bool FromServer(int fd) {
    std::array<char, 32768> piece;
    while (down_.size() < kBytesMax) {
      const ssize_t got = recv(fd, piece.data(), piece.size(), MSG_DONTWAIT);
      if (got <= 0) return got < 0 && errno == EAGAIN;
      down_.append(piece.data(), static_cast<size_t>(got));
    }
    return true;
  }

  bool ToServer(int fd) {
    const ssize_t sent = send(fd, up_.data(), up_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) up_.erase(0, static_cast<size_t>(sent));
    return sent >= 0 || errno == EAGAIN;
  }

  Poco::Net::StreamSocket client_;
  const TlsFrontOptions& options_;
  const std::stop_token& stop_;
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  std::string up_;
  std::string down_;
};

}  // namespace

TlsFront::TlsFront(const Identity& identity, int to_port, TlsFrontOptions options)
    : context_(ContextOf(identity)),
      to_port_(to_port),
      options_(std::move(options)),
      listener_(Poco::Net::SocketAddress("127.0.0.1", 0)) {
  thread_ =
      TheRuntime().threads.Start("tls-front", [this](const std::stop_token& stop) { Run(stop); });
}

TlsFront::~TlsFront() {
  thread_->RequestStop();
  thread_->Join();
  for (const auto& one : serving_) one->RequestStop();
  for (const auto& one : serving_) one->Join();
}

void TlsFront::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!listener_.poll(Poco::Timespan(0, kLookMs * 1000), Poco::Net::Socket::SELECT_READ)) {
      continue;
    }
    ++connections_;
    serving_.push_back(TheRuntime().threads.Start(
        "tls-served", [this, socket = listener_.acceptConnection()](const std::stop_token& ending) {
          try {
            Serve(socket, ending);
          } catch (const Poco::Exception&) {
            // Somebody has hung up: so it goes in some of the tests.
          }
        }));
  }
}

void TlsFront::Serve(const Poco::Net::StreamSocket& socket, const std::stop_token& stop) {
  // OpenSSL writes to those who have gone, too.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  Served served(context_.get(), socket, options_, stop);
  if (!served.Accept()) return served.RefuseInWords();
  std::string head = served.FirstHead(bytes_heard_);
  if (head.empty()) return served.Refuse();
  const Poco::Net::StreamSocket server(
      Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(to_port_)));
  served.Relay(server, std::move(head), bytes_heard_);
}

}  // namespace a4cd
