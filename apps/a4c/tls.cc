#include "apps/a4c/tls.h"

#include <Poco/Net/IPAddress.h>
#include <Poco/Net/SocketAddress.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "a4c/resolve.h"

namespace a4c_cli {

namespace net = Poco::Net;
using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

constexpr int kNamesMax = 4;
constexpr int64_t kProbeMs = 2'000;
constexpr int64_t kConnectMs = 30'000;

bool IsAddress(const std::string& host) {
  net::IPAddress address;
  return net::IPAddress::tryParse(host, address);
}

// Of a stranger: nothing in it may move a cursor.
std::string Text(const ASN1_STRING* string) {
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                   static_cast<size_t>(ASN1_STRING_length(string)));
  std::ranges::replace_if(
      text, [](unsigned char c) { return std::isgraph(c) == 0; }, '?');
  return text;
}

// "gw.example, *.gw.example": whom a certificate is for.
std::string NamesOf(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::string text;
  int shown = 0;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    if (++shown > kNamesMax) return text + ", ...";
    text += (text.empty() ? "" : ", ") + Text(name->d.dNSName);
  }
  return text.empty() ? "another name" : text;
}

// The last is one of a CA that only has the name of one that is known: it was made anew.
bool IsUnknownIssuer(long verdict) {
  static constexpr long kUnknown[] = {
      X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,       X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
      X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,       X509_V_ERR_CERT_SIGNATURE_FAILURE};
  return std::ranges::find(kUnknown, verdict) != std::end(kUnknown);
}

Error CertificateError(long verdict, const std::string& host, const std::string& names) {
  const std::string whose = "the certificate of " + host;
  if (IsUnknownIssuer(verdict)) {
    return Error(Code::kDenied, whose + " is signed by no CA that is known here",
                 "give the CA's certificate: --ca-file FILE (A4C_CA_FILE, or with it "
                 "a4c context set)");
  }
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return Error(Code::kDenied, whose + " is not for that name: it is for " + names,
                 "write in --url the name that it is for; --ca-file does not help here");
  }
  if (verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID) {
    const bool is_over = verdict == X509_V_ERR_CERT_HAS_EXPIRED;
    return Error(Code::kDenied, whose + (is_over ? " has expired" : " is not valid yet"),
                 "renew it there, or set the clock of this machine; --ca-file does not help here");
  }
  return Error(Code::kDenied, whose + " is not accepted: " + X509_verify_cert_error_string(verdict),
               "mend it there; a CA of your own is given by --ca-file FILE");
}

// What a server that speaks no TLS looks like: its answer is read as a record.
bool IsNoTls(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
         reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_UNEXPECTED_MESSAGE;
}

// Also what the other side had to say, which with TLS 1.3 may come after the handshake: that it
// wants a certificate of ours.
net::NetException Broken() {
  const char* told = errno == EPROTO ? ERR_reason_error_string(ERR_peek_error()) : nullptr;
  return net::NetException(std::string("the connection broke off") +
                           (told == nullptr ? "" : std::string(": ") + told));
}

class TlsTransport final : public a4c_websocket::Transport {
 public:
  explicit TlsTransport(const net::StreamSocket& socket)
      : socket_(socket), tls_(dynamic_cast<TlsSocket&>(*socket.impl())) {}
  ssize_t Receive(char* bytes, size_t count) override { return tls_.ReceiveNow(bytes, count); }
  ssize_t Send(std::string_view bytes) override { return tls_.SendNow(bytes); }
  int fd() const override { return tls_.sockfd(); }
  short Events(bool receiving, bool sending) const override {
    return tls_.Events(receiving, sending);
  }

 private:
  const net::StreamSocket socket_;
  TlsSocket& tls_;
};

}  // namespace

Result<std::shared_ptr<SSL_CTX>> NewTls(const std::string& host, const std::string& ca_file) {
  ERR_clear_error();
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (context == nullptr) return Error(Code::kInternal, "TLS cannot begin");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  // What was not taken may have moved, and may have grown, when it is offered again.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const bool known = ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                         : SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) == 1;
  if (!known) {
    return Error(Code::kInvalid, "there is no CA certificate in " + ca_file,
                 "--ca-file takes a file of certificates in PEM");
  }
  // The name is a part of what the handshake proves: nobody has to think of it afterwards.
  X509_VERIFY_PARAM* wanted = SSL_CTX_get0_param(context.get());
  const bool named = IsAddress(host) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1
                                     : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), 0) == 1;
  if (!named) return Error(Code::kInvalid, "\"" + host + "\" is no name of a server");
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, &TlsSocket::Judge);
  return context;
}

// OpenSSL has judged; of what it refuses the names are kept, to be told.
int TlsSocket::Judge(int good, X509_STORE_CTX* store) {
  if (good == 1) return 1;
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* self = static_cast<TlsSocket*>(SSL_get_app_data(ssl));
  const X509* certificate = X509_STORE_CTX_get0_cert(store);
  if (self != nullptr && certificate != nullptr) self->names_ = NamesOf(certificate);
  return 0;
}

// One try: a count, 0 at the end, or -1 with errno; EAGAIN: not now, but after waits_for.
template <typename Step>
ssize_t TlsSocket::Once(short& waits_for, const Step& step) {
  waits_for = 0;
  // What others of this thread have left there would be taken for ours.
  ERR_clear_error();
  errno = 0;
  size_t count = 0;
  const int done = step(&count);
  if (done > 0) return static_cast<ssize_t>(count);
  switch (SSL_get_error(ssl_.get(), done)) {
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_WANT_READ:
      waits_for = POLLIN;
      break;
    case SSL_ERROR_WANT_WRITE:
      waits_for = POLLOUT;
      break;
    case SSL_ERROR_SYSCALL:
      if (errno == 0 || errno == EAGAIN) errno = ECONNRESET;
      return -1;
    default:
      errno = EPROTO;
      return -1;
  }
  errno = EAGAIN;
  return -1;
}

ssize_t TlsSocket::ReceiveNow(char* bytes, size_t count) {
  return Once(reading_waits_for_,
              [&](size_t* got) { return SSL_read_ex(ssl_.get(), bytes, count, got); });
}

ssize_t TlsSocket::SendNow(std::string_view bytes) {
  return Once(writing_waits_for_, [&](size_t* sent) {
    return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), sent);
  });
}

short TlsSocket::Events(bool receiving, bool sending) const {
  return static_cast<short>(
      (receiving ? POLLIN | reading_waits_for_ : 0) |
      (sending ? (writing_waits_for_ == 0 ? POLLOUT : writing_waits_for_) : 0));
}

void TlsSocket::connect(const net::SocketAddress& address, const Poco::Timespan& timeout) {
  ssl_.reset();
  is_greeted_ = false;
  StreamSocketImpl::connect(address, timeout);
  // It never waits by itself: with TLS, reading may have to wait until something is written.
  setBlocking(false);
  Greet(timeout);
}

void TlsSocket::connect(const net::SocketAddress& address) {
  connect(address, Poco::Timespan(kConnectMs * 1000));
}

void TlsSocket::Greet(const Poco::Timespan& timeout) {
  ssl_.reset(SSL_new(context_.get()));
  if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), sockfd()) != 1) {
    throw TlsRefusal(Error(Code::kInternal, "TLS cannot begin"));
  }
  SSL_set_app_data(ssl_.get(), this);
  if (!IsAddress(host_)) SSL_set_tlsext_host_name(ssl_.get(), host_.c_str());
  const int64_t deadline_ms = runtime_.clock.MonotonicMs() + timeout.totalMilliseconds();
  short waits_for = 0;
  while (Once(waits_for, [&](size_t* count) {
           *count = 1;
           return SSL_connect(ssl_.get());
         }) != 1) {
    if (errno != EAGAIN) throw TlsRefusal(Refusal());
    Wait(waits_for, Poco::Timespan(1000 * (deadline_ms - runtime_.clock.MonotonicMs())));
  }
  is_greeted_ = true;
}

Error TlsSocket::Refusal() const {
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK) return CertificateError(verdict, host_, names_);
  const unsigned long failure = ERR_peek_error();
  const int reason = ERR_GET_LIB(failure) == ERR_LIB_SSL ? ERR_GET_REASON(failure) : 0;
  if (IsNoTls(reason)) {
    return Error(Code::kInvalid, host_ + " answers without TLS",
                 "write http:// in --url, or the port at which it speaks TLS");
  }
  const char* told = ERR_reason_error_string(failure);
  const bool has_gone = errno == ECONNRESET || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  return Error(Code::kUnavailable,
               host_ + (has_gone ? " has closed the connection before TLS began"
                                 : std::string(": no TLS came about: ") +
                                       (told == nullptr ? std::strerror(errno) : told)),
               "does it speak TLS at this port? http:// in --url is without");
}

void TlsSocket::Wait(short events, const Poco::Timespan& timeout) {
  const int mode = events == POLLOUT ? net::Socket::SELECT_WRITE : net::Socket::SELECT_READ;
  if (timeout <= 0 || !poll(timeout, mode)) throw Poco::TimeoutException();
}

int TlsSocket::receiveBytes(void* bytes, int count, int /*flags*/) {
  while (true) {
    const ssize_t got = ReceiveNow(static_cast<char*>(bytes), static_cast<size_t>(count));
    if (got >= 0) return static_cast<int>(got);
    if (errno != EAGAIN) throw Broken();
    Wait(reading_waits_for_, getReceiveTimeout());
  }
}

int TlsSocket::sendBytes(const void* bytes, int count, int /*flags*/) {
  std::string_view left(static_cast<const char*>(bytes), static_cast<size_t>(count));
  while (!left.empty()) {
    const ssize_t sent = SendNow(left);
    if (sent > 0) {
      left.remove_prefix(static_cast<size_t>(sent));
    } else if (sent < 0 && errno == EAGAIN) {
      Wait(writing_waits_for_, getSendTimeout());
    } else {
      throw Broken();
    }
  }
  return count;
}

int TlsSocket::sendBytes(const net::SocketBufVec& /*buffers*/, int /*flags*/) {
  throw Poco::NotImplementedException("TLS of several buffers");
}

void TlsSocket::sendUrgent(unsigned char /*byte*/) {
  throw Poco::NotImplementedException("urgent bytes of TLS");
}

// Says that this is the end, if that goes without waiting.
void TlsSocket::Farewell() {
  if (ssl_ != nullptr && is_greeted_) SSL_shutdown(ssl_.get());
  ssl_.reset();
  is_greeted_ = false;
}

void TlsSocket::close() {
  Farewell();
  StreamSocketImpl::close();
}

std::unique_ptr<a4c_websocket::Transport> NewTlsTransport(const net::StreamSocket& socket) {
  return std::make_unique<TlsTransport>(socket);
}

bool SpeaksTls(const std::string& host, uint16_t port, const a4c::Runtime& runtime) {
  try {
    const auto context = NewTls(host, "");
    if (!context) return false;
    const auto address = a4c::ResolveToOne(a4c::Call::Within(runtime.clock, kProbeMs), host);
    if (!address) return false;
    net::StreamSocket socket(new TlsSocket(*context, host, runtime));
    socket.connect(net::SocketAddress(*address, port), Poco::Timespan(kProbeMs * 1000));
    return true;
  } catch (const TlsRefusal& refusal) {
    return refusal.error().code() == Code::kDenied;
  } catch (const Poco::Exception&) {
    return false;
  }
}

}  // namespace a4c_cli
