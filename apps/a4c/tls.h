// TLS to the API: OpenSSL under the sockets that Poco's HTTP is given. Poco's own (NetSSL 1.11)
// takes a handshake that ran out of time for a finished one, whose name is then never looked at,
// skips the name on the loopback, and waits although its socket is told not to.
#pragma once

#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "apps/websocket/transport.h"

namespace a4c_cli {

// Why no connection came to be, as it is told.
class TlsRefusal final : public Poco::Net::NetException {
 public:
  explicit TlsRefusal(a4c::Error error) : error_(std::move(error)) {}
  const a4c::Error& error() const { return error_; }

 private:
  a4c::Error error_;
};

// With whom a connection has to be: a certificate for this name, by a CA of that file, or of the
// system's if it is empty. kInvalid: the file holds none.
a4c::Result<std::shared_ptr<SSL_CTX>> NewTls(const std::string& host, const std::string& ca_file);

// Has sent nothing when it is connected, and is connected to nobody else. [one thread at a time]
class TlsSocket final : public Poco::Net::StreamSocketImpl {
 public:
  TlsSocket(std::shared_ptr<SSL_CTX> context, std::string host, const a4c::Runtime& runtime)
      : context_(std::move(context)), host_(std::move(host)), runtime_(runtime) {}

  // Throws a TlsRefusal: kDenied, it is somebody else; kInvalid, that is no TLS; kUnavailable.
  void connect(const Poco::Net::SocketAddress& address, const Poco::Timespan& timeout) override;
  void connect(const Poco::Net::SocketAddress& address) override;
  void close() override;
  // Wait as long as the timeouts of the socket allow; all is sent.
  int sendBytes(const void* bytes, int count, int flags) override;
  int receiveBytes(void* bytes, int count, int flags) override;
  bool secure() const override { return true; }
  // Nothing goes past TLS by one of the other ways.
  int sendBytes(const Poco::Net::SocketBufVec& buffers, int flags) override;
  void sendUrgent(unsigned char byte) override;

  // What it gives away instead once it is a WebSocket's: never waits.
  ssize_t ReceiveNow(char* bytes, size_t count);
  ssize_t SendNow(std::string_view bytes);
  short Events(bool receiving, bool sending) const;

 protected:
  ~TlsSocket() override { Farewell(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  static int Judge(int good, X509_STORE_CTX* store);
  friend a4c::Result<std::shared_ptr<SSL_CTX>> NewTls(const std::string&, const std::string&);

  template <typename Step>
  ssize_t Once(short& waits_for, const Step& step);
  void Greet(const Poco::Timespan& timeout);
  void Farewell();
  // Waits for what the last try wants; throws when the time is over.
  void Wait(short events, const Poco::Timespan& timeout);
  a4c::Error Refusal() const;

  const std::shared_ptr<SSL_CTX> context_;
  const std::string host_;
  const a4c::Runtime runtime_;
  std::unique_ptr<SSL, Free> ssl_;
  bool is_greeted_ = false;
  short reading_waits_for_ = 0;  // POLLIN or POLLOUT: why the last try did not go on
  short writing_waits_for_ = 0;
  std::string names_;  // that a certificate was for which was refused
};

// The transport of a WebSocket over such a socket. It holds the socket.
std::unique_ptr<a4c_websocket::Transport> NewTlsTransport(const Poco::Net::StreamSocket& socket);

// Whether TLS is spoken there, whoever it is. Sends nothing but a greeting.
bool SpeaksTls(const std::string& host, uint16_t port, const a4c::Runtime& runtime);

}  // namespace a4c_cli
