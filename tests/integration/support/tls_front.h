// A gateway: takes TLS on a port of the loopback, and leads what comes to a server without.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <openssl/ssl.h>

#include <atomic>
#include <list>
#include <memory>
#include <string>

#include "a4c/clock.h"
#include "tests/integration/support/certificates.h"

namespace a4cd {

struct TlsFrontOptions {
  std::string prefix = {};        // "/a4c": taken off each path; others are not found
  std::string plain_answer = {};  // to those who do not begin with TLS
};

class TlsFront {
 public:
  TlsFront(const Identity& identity, int to_port, TlsFrontOptions options = {});
  ~TlsFront();
  TlsFront(const TlsFront&) = delete;
  TlsFront& operator=(const TlsFront&) = delete;

  int port() const { return listener_.address().port(); }
  // Of all that was said under TLS, by anybody.
  int64_t bytes_heard() const { return bytes_heard_; }
  int connections() const { return connections_; }

 private:
  void Run(const std::stop_token& stop);
  void Serve(const Poco::Net::StreamSocket& socket, const std::stop_token& stop);

  const std::shared_ptr<SSL_CTX> context_;
  const int to_port_;
  const TlsFrontOptions options_;
  Poco::Net::ServerSocket listener_;
  std::atomic<int64_t> bytes_heard_ = 0;
  std::atomic<int> connections_ = 0;
  std::list<std::unique_ptr<a4c::Thread>> serving_;
  std::unique_ptr<a4c::Thread> thread_;
};

}  // namespace a4cd
