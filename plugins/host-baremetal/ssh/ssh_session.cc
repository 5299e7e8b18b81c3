#include "ssh/ssh_session.h"

#include <fcntl.h>
#include <libssh2.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "ssh/socket.h"
#include "ssh/ssh_agent.h"
#include "ssh/ssh_banner.h"
#include "ssh/ssh_errors.h"
#include "ssh/ssh_jump.h"
#include "ssh/ssh_key.h"
#include "ssh/ssh_wire.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kCloseMs = 2'000;
constexpr int64_t kKeepAliveAgainMs = 1'000;
constexpr size_t kErrorBytesMax = 2'000;
// Whoever waited for this part of connect_timeout_ms has seen that nobody answers.
constexpr int64_t kEnoughOfTimeout = 2;
constexpr size_t kIdentitiesTried = 5;  // sshd hangs up after six (MaxAuthTries)
constexpr char kStreamLocal[] = "direct-streamlocal@openssh.com";
constexpr const char* kHostKeyTypes = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384";

void InitLibssh2Once() {
  static const int rc = libssh2_init(0);
  (void)rc;
}

Error CannotConnect(const SshTarget& target, const std::string& why, const std::string& hint = {}) {
  return Error(
      Code::kUnavailable,
      "cannot connect to " + target.address + " port " + std::to_string(target.port) + ": " + why,
      hint.empty() ? "is the server up, and sshd with it?" : hint);
}

// Names the server, and what may be wrong there.
Error ConnectError(const SshTarget& target, const Error& error) {
  if (error.code() != Code::kUnavailable) return error;
  return CannotConnect(target, error.message(), error.hint());
}

class Session;

class Channel final : public ByteChannel {
 public:
  Channel(Session& session, LIBSSH2_CHANNEL* channel) : session_(session), channel_(channel) {}
  ~Channel() override;
  Result<size_t> Read(const Call& call, char* buffer, size_t size) override;
  Result<void> Write(const Call& call, std::string_view bytes) override;
  std::string Complaint() override;
  bool Alive() const override;
  Result<std::optional<size_t>> ReadNow(char* buffer, size_t size) override;
  Result<size_t> WriteNow(std::string_view bytes) override;
  Result<bool> EndNow() override;
  Result<StreamWait> WaitFor(const Clock& clock, bool reading, bool writing) override;

 private:
  // What must be called again, the same, before anything else is sent: a packet of it is half out.
  enum class HalfOut : uint8_t { kNothing, kReading, kWriting, kEnding };

  void TakeErrors();
  // There is output that a look for errors has taken off the socket, where nothing will show it.
  bool HasCome() const { return libssh2_poll_channel_read(channel_, 0) > 0; }
  // By the server: the window, once it is used up, opens no more, and libssh2's writes do not say
  // why. Other than the end it is not hidden by what is unread. Not while a packet is half out.
  bool IsClosed() const { return libssh2_channel_wait_closed(channel_) == 0; }
  bool Blocked(HalfOut by) const { return half_out_ != HalfOut::kNothing && half_out_ != by; }
  Result<int64_t> Judge(HalfOut by, int64_t rc);

  Session& session_;
  LIBSSH2_CHANNEL* const channel_;
  std::string errors_;
  HalfOut half_out_ = HalfOut::kNothing;
};

class Session final : public SshSession {
 public:
  Session(const Clock& clock, Socket socket, const SshTarget& target)
      : clock_(clock), target_(target), socket_(std::move(socket)), ssh_(NewSession(this)) {}
  Session(const Clock& clock, std::unique_ptr<SshJump> jump, const SshTarget& target)
      : clock_(clock),
        target_(target),
        socket_(-1),
        jump_(std::move(jump)),
        ssh_(NewSession(this)) {
    SendThroughJump();
  }
  ~Session() override {
    const Call call = Call::Within(clock_, usable_ ? kCloseMs : 0);
    if (usable_) (void)Await(call, [&] { return libssh2_session_disconnect(ssh_, "done"); });
    // What it still wants to say has nowhere to go once the socket is shut.
    while (libssh2_session_free(ssh_) == LIBSSH2_ERROR_EAGAIN) Cut();
  }

  // The fingerprint of the key that the server shows.
  Result<std::string> Shake(const Call& call);
  Result<void> Start(const Call& call);
  std::string Banner() const {
    const char* banner = libssh2_session_banner_get(ssh_);
    return banner == nullptr ? "" : banner;
  }
  Result<std::unique_ptr<ByteChannel>> OpenSocket(const Call& call,
                                                  const std::string& path) override;
  Result<std::unique_ptr<ByteChannel>> OpenCommand(const Call& call,
                                                   const std::string& command) override;
  bool Usable() const override { return usable_; }

  // Repeats a libssh2 call until it has an answer: what it returned, which is not EAGAIN.
  template <typename Function>
  auto Await(const Call& call, Function function) -> Result<decltype(function())> {
    while (true) {
      const auto rc = function();
      if (rc != LIBSSH2_ERROR_EAGAIN) return rc;
      auto ready = WaitReady(call);
      if (!ready) return Broken(ready.error());
    }
  }
  Result<void> WaitReady(const Call& call);
  int Directions() const { return libssh2_session_block_directions(ssh_); }
  // Asks the server for a sign of life if it is time to; ms until it is again.
  Result<int64_t> KeepAlive();
  Error Broken(Error error) {
    usable_ = false;
    return error;
  }
  Error Failed(int rc);
  const Clock& clock() const { return clock_; }
  bool usable() const { return usable_; }
  // What there is to wait for on the way to the server.
  Result<StreamWait> Wait(bool writing) const;
  bool HasNewsNow() const;
  const ForeignKey& foreign() const { return foreign_; }
  Result<std::unique_ptr<ByteChannel>> OpenPort(const Call& call, const std::string& address,
                                                int port) override;

 private:
  static LIBSSH2_SESSION* NewSession(Session* self) {
    LIBSSH2_SESSION* ssh = libssh2_session_init_ex(nullptr, nullptr, nullptr, self);
    libssh2_session_set_blocking(ssh, 0);
    return ssh;
  }
  void SendThroughJump();
  void Cut() {
    if (jump_ != nullptr) jump_->Cut();
    shutdown(socket_.fd(), SHUT_RDWR);
  }
  Result<void> LogInByFile(const Call& call);
  Result<void> LogInByAgent(const Call& call);
  Result<LIBSSH2_CHANNEL*> Open(const Call& call, const char* type, const std::string& message);

  const Clock& clock_;
  const SshTarget target_;
  Socket socket_;  // either outlives the session that writes to it
  const std::unique_ptr<SshJump> jump_;
  LIBSSH2_SESSION* const ssh_;
  bool usable_ = true;
  ForeignKey foreign_;
};

Error Session::Failed(int rc) {
  char* text = nullptr;
  libssh2_session_last_error(ssh_, &text, nullptr, 0);
  return SshError(rc, text == nullptr ? "" : text, target_.address);
}

// libssh2's own hooks for what carries its bytes; `abstract` leads to us.
void Session::SendThroughJump() {
  using Receive = LIBSSH2_RECV_FUNC((*));
  using Send = LIBSSH2_SEND_FUNC((*));
  const Receive receive = [](libssh2_socket_t, void* buffer, size_t size, int, void** abstract) {
    return static_cast<Session*>(*abstract)->jump_->Receive(static_cast<char*>(buffer), size);
  };
  const Send send = [](libssh2_socket_t, const void* bytes, size_t size, int, void** abstract) {
    return static_cast<Session*>(*abstract)->jump_->Send(static_cast<const char*>(bytes), size);
  };
  libssh2_session_callback_set(ssh_, LIBSSH2_CALLBACK_RECV, reinterpret_cast<void*>(receive));
  libssh2_session_callback_set(ssh_, LIBSSH2_CALLBACK_SEND, reinterpret_cast<void*>(send));
}

Result<StreamWait> Session::Wait(bool writing) const {
  if (jump_ != nullptr) {
    A4C_TRY(StreamWait wait, jump_->WaitFor(clock_, writing));
    wait.until_ms = !writing && jump_->HasMore() ? clock_.MonotonicMs() : Waiter::kForever;
    return wait;
  }
  return StreamWait{.fd = socket_.fd(), .events = static_cast<short>(writing ? POLLOUT : POLLIN)};
}

bool Session::HasNewsNow() const {
  const auto wait = Wait(false);
  return !wait || wait->until_ms != Waiter::kForever || HasNews(wait->fd);
}

Result<void> Session::WaitReady(const Call& call) {
  const int directions = libssh2_session_block_directions(ssh_);
  short events = 0;
  if ((directions & LIBSSH2_SESSION_BLOCK_INBOUND) != 0) events |= POLLIN;
  if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0) events |= POLLOUT;
  if (events == 0) events = POLLIN;
  // A packet that is half out must be finished before another is begun.
  if ((directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) == 0 && libssh2_userauth_authenticated(ssh_)) {
    int seconds_left = 0;
    const int rc = libssh2_keepalive_send(ssh_, &seconds_left);
    if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN) return Failed(rc);
  }
  if (jump_ == nullptr) return WaitSocket(call, socket_.fd(), events);
  if ((events & POLLIN) != 0 && jump_->HasMore()) return {};
  A4C_TRY(const StreamWait wait, jump_->WaitFor(clock_, (events & POLLOUT) != 0));
  return WaitSocket(call, wait.fd, wait.events);
}

Result<int64_t> Session::KeepAlive() {
  // One that stays half out would be in the way of the next packet.
  A4C_TRY(const StreamWait way, Wait(true));
  pollfd entry{way.fd, POLLOUT, 0};
  if (poll(&entry, 1, 0) <= 0) return kKeepAliveAgainMs;
  int seconds_left = 0;
  const int rc = libssh2_keepalive_send(ssh_, &seconds_left);
  if (rc != 0 && rc != LIBSSH2_ERROR_EAGAIN) return Broken(Failed(rc));
  return std::max<int64_t>(1, seconds_left) * 1000;
}

Result<std::string> Session::Shake(const Call& call) {
  libssh2_session_method_pref(ssh_, LIBSSH2_METHOD_HOSTKEY, kHostKeyTypes);
  A4C_TRY(const StreamWait way, Wait(true));
  const auto shake = [&] { return libssh2_session_handshake(ssh_, way.fd); };
  const Result<int> shaken = Await(call, shake);
  if (!shaken) {
    // The keys of an exchange that is under way go with its failure, not with the session: libssh2
    // 1.10 would leave them in memory.
    Cut();
    (void)shake();
    return shaken.error();
  }
  if (*shaken != 0) return Broken(Failed(*shaken));
  const char* hash = libssh2_hostkey_hash(ssh_, LIBSSH2_HOSTKEY_HASH_SHA256);
  return hash == nullptr ? "none" : Fingerprint(std::string_view(hash, 32));
}

Result<void> Session::Start(const Call& call) {
  A4C_TRY(const std::string shown, Shake(call));
  if (shown != target_.host_key_fingerprint) {
    foreign_ = {target_.host_key_fingerprint, shown};
    return Broken(Error(Code::kDenied,
                        "the host key of " + target_.address + " is " + shown + ", pinned is " +
                            target_.host_key_fingerprint + "; nothing was sent",
                        "someone may be in between; if the server was set up anew, pin the "
                        "fingerprint that its console shows"));
  }
  const auto known = target_.agent.empty() ? LogInByFile(call) : LogInByAgent(call);
  if (!known) {
    return Broken(known.error().Within("user " + target_.user + " at " + target_.address));
  }
  libssh2_keepalive_config(ssh_, 1, static_cast<unsigned>(target_.keepalive_interval_ms / 1000));
  return {};
}

Result<void> Session::LogInByFile(const Call& call) {
  A4C_TRY(const int rc, Await(call, [&] {
            return libssh2_userauth_publickey_fromfile(ssh_, target_.user.c_str(), nullptr,
                                                       target_.private_key_path.c_str(), nullptr);
          }));
  if (rc != 0) return Failed(rc);
  return {};
}

// What libssh2's hook for a signature needs, and why it failed.
struct Signing {
  const Call& call;
  SshAgent& agent;
  const AgentIdentity& identity;
  std::optional<Error> error = {};

  static int Sign(LIBSSH2_SESSION*, unsigned char** signature, size_t* size,
                  const unsigned char* data, size_t data_size, void** self) {
    auto& signing = *static_cast<Signing*>(*self);
    const auto made = signing.agent.Sign(signing.call, signing.identity,
                                         {reinterpret_cast<const char*>(data), data_size});
    if (!made) {
      signing.error = made.error();
      return -1;
    }
    *size = made->size();
    *signature = static_cast<unsigned char*>(std::malloc(*size));  // libssh2 frees it
    if (*signature == nullptr) return -1;
    std::memcpy(*signature, made->data(), *size);
    return 0;
  }
};

Result<void> Session::LogInByAgent(const Call& call) {
  A4C_TRY(const auto agent, SshAgent::Connect(call, target_.agent));
  A4C_TRY(std::vector<AgentIdentity> identities, agent->Identities(call, target_.agent_key));
  identities.resize(std::min(identities.size(), kIdentitiesTried));
  std::string tried;
  for (const AgentIdentity& identity : identities) {
    Signing signing{call, *agent, identity};
    void* hook = &signing;
    const std::string& key = identity.public_key;
    A4C_TRY(const int rc, Await(call, [&] {
              return libssh2_userauth_publickey(ssh_, target_.user.c_str(),
                                                reinterpret_cast<const unsigned char*>(key.data()),
                                                key.size(), Signing::Sign, &hook);
            }));
    if (rc == 0) return {};
    if (signing.error) return *signing.error;
    const Error refused = Failed(rc);
    if (refused.code() != Code::kDenied) return refused;
    tried += (tried.empty() ? "" : ", ") + identity.fingerprint;
  }
  return Error(Code::kDenied, "the server takes none of the ssh agent's keys: " + tried,
               "is the public key in authorized_keys of that user? with many keys in the agent, "
               "say which: agent_key");
}

Result<LIBSSH2_CHANNEL*> Session::Open(const Call& call, const char* type,
                                       const std::string& message) {
  LIBSSH2_CHANNEL* channel = nullptr;
  A4C_TRY(const int rc, Await(call, [&] {
            channel = libssh2_channel_open_ex(
                ssh_, type, static_cast<unsigned>(std::strlen(type)),
                LIBSSH2_CHANNEL_WINDOW_DEFAULT, LIBSSH2_CHANNEL_PACKET_DEFAULT,
                message.empty() ? nullptr : message.data(), static_cast<unsigned>(message.size()));
            return channel == nullptr ? libssh2_session_last_errno(ssh_) : 0;
          }));
  if (channel != nullptr) return channel;
  const Error error = Failed(rc);
  // A channel that was refused leaves the session as it was.
  return rc == LIBSSH2_ERROR_CHANNEL_FAILURE ? error : Broken(error);
}

Result<std::unique_ptr<ByteChannel>> Session::OpenSocket(const Call& call,
                                                         const std::string& path) {
  // OpenSSH's PROTOCOL, section 2.4: string path, string reserved, uint32 reserved.
  std::string message;
  AppendText(message, path);
  AppendNumber(message, 0);
  AppendNumber(message, 0);
  A4C_TRY(LIBSSH2_CHANNEL * channel, Open(call, kStreamLocal, message));
  return std::unique_ptr<ByteChannel>(std::make_unique<Channel>(*this, channel));
}

Result<std::unique_ptr<ByteChannel>> Session::OpenPort(const Call& call, const std::string& address,
                                                       int port) {
  // RFC 4254, section 7.2: to whom, and from whom.
  std::string message;
  for (const auto& [name, number] : {std::pair(address, port), std::pair(std::string("::1"), 0)}) {
    AppendText(message, name);
    AppendNumber(message, static_cast<size_t>(number));
  }
  A4C_TRY(LIBSSH2_CHANNEL * channel, Open(call, "direct-tcpip", message));
  return std::unique_ptr<ByteChannel>(std::make_unique<Channel>(*this, channel));
}

Result<std::unique_ptr<ByteChannel>> Session::OpenCommand(const Call& call,
                                                          const std::string& command) {
  A4C_TRY(LIBSSH2_CHANNEL * channel, Open(call, "session", {}));
  std::unique_ptr<ByteChannel> opened = std::make_unique<Channel>(*this, channel);
  A4C_TRY(const int rc, Await(call, [&] {
            return libssh2_channel_process_startup(channel, "exec", 4, command.data(),
                                                   static_cast<unsigned>(command.size()));
          }));
  if (rc != 0) return Failed(rc);
  return opened;
}

Channel::~Channel() {
  if (!session_.usable()) return;  // freed together with the session
  const Call call = Call::Within(session_.clock(), kCloseMs);
  const auto freed = session_.Await(call, [&] { return libssh2_channel_free(channel_); });
  if (freed && *freed < 0) (void)session_.Broken(session_.Failed(*freed));
}

Result<size_t> Channel::Read(const Call& call, char* buffer, size_t size) {
  while (true) {
    A4C_TRY(const ssize_t count,
            session_.Await(call, [&] { return libssh2_channel_read(channel_, buffer, size); }));
    if (count > 0) return static_cast<size_t>(count);
    if (count < 0) return session_.Broken(session_.Failed(static_cast<int>(count)));
    TakeErrors();
    if (libssh2_channel_eof(channel_) != 0) return size_t{0};
    if (!HasCome()) A4C_CHECK(session_.WaitReady(call));
  }
}

Result<void> Channel::Write(const Call& call, std::string_view bytes) {
  while (!bytes.empty()) {
    A4C_TRY(const ssize_t count, session_.Await(call, [&]() -> ssize_t {
      const ssize_t rc = libssh2_channel_write(channel_, bytes.data(), bytes.size());
      const bool is_half_out = (session_.Directions() & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0;
      const bool is_vain = rc == LIBSSH2_ERROR_EAGAIN && !is_half_out && IsClosed();
      return is_vain ? LIBSSH2_ERROR_CHANNEL_CLOSED : rc;
    }));
    // What it said before may be read, and the session goes on.
    if (count == LIBSSH2_ERROR_CHANNEL_CLOSED) {
      return Error(Code::kUnavailable, "the other side closed the connection and takes no more",
                   "was dockerd restarted?");
    }
    if (count < 0) return session_.Broken(session_.Failed(static_cast<int>(count)));
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

// What a call that does not wait returned: its count, or -1: not now.
Result<int64_t> Channel::Judge(HalfOut by, int64_t rc) {
  half_out_ = HalfOut::kNothing;
  if (rc >= 0) return rc;
  if (rc != LIBSSH2_ERROR_EAGAIN) return session_.Broken(session_.Failed(static_cast<int>(rc)));
  // libssh2 finishes a packet only if it is asked for the very same again.
  if ((session_.Directions() & LIBSSH2_SESSION_BLOCK_OUTBOUND) != 0) half_out_ = by;
  return -1;
}

Result<std::optional<size_t>> Channel::ReadNow(char* buffer, size_t size) {
  if (Blocked(HalfOut::kReading)) return std::optional<size_t>();
  A4C_TRY(const int64_t count,
          Judge(HalfOut::kReading, libssh2_channel_read(channel_, buffer, size)));
  if (count > 0) return std::optional(static_cast<size_t>(count));
  if (half_out_ != HalfOut::kNothing) return std::optional<size_t>();
  TakeErrors();
  if (libssh2_channel_eof(channel_) != 0) return std::optional<size_t>(0);
  return std::optional<size_t>();
}

Result<size_t> Channel::WriteNow(std::string_view bytes) {
  if (Blocked(HalfOut::kWriting)) return size_t{0};
  A4C_TRY(const int64_t count,
          Judge(HalfOut::kWriting, libssh2_channel_write(channel_, bytes.data(), bytes.size())));
  // Nobody will read it. The end is for Read to tell, behind what was said before.
  if (count < 0 && half_out_ == HalfOut::kNothing && IsClosed()) return bytes.size();
  return static_cast<size_t>(std::max<int64_t>(0, count));
}

Result<bool> Channel::EndNow() {
  if (Blocked(HalfOut::kEnding)) return false;
  A4C_TRY(const int64_t rc, Judge(HalfOut::kEnding, libssh2_channel_send_eof(channel_)));
  return rc == 0;
}

Result<StreamWait> Channel::WaitFor(const Clock& clock, bool reading, bool writing) {
  if (half_out_ != HalfOut::kNothing) return session_.Wait(true);
  A4C_TRY(const int64_t left_ms, session_.KeepAlive());
  StreamWait wait{.until_ms = clock.MonotonicMs() + left_ms};
  // A window that is closed to our writing opens by what comes in.
  A4C_TRY(const StreamWait way, session_.Wait(false));
  wait.until_ms = std::min(wait.until_ms, way.until_ms);
  if (reading && HasCome()) wait.until_ms = clock.MonotonicMs();
  if (reading || writing) wait.fd = way.fd;
  wait.events = way.events;
  return wait;
}

// Whatever came unasked is no answer to the next request.
bool Channel::Alive() const {
  return session_.usable() && !session_.HasNewsNow() && libssh2_channel_eof(channel_) == 0;
}

// Unread errors hide the end. Looking for some reads whatever is on the socket: see HasCome.
void Channel::TakeErrors() {
  char piece[512];
  for (ssize_t count; (count = libssh2_channel_read_stderr(channel_, piece, sizeof(piece))) > 0;) {
    if (errors_.size() < kErrorBytesMax) errors_.append(piece, static_cast<size_t>(count));
  }
}

std::string Channel::Complaint() {
  TakeErrors();
  std::string text = errors_;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// The key of the jump is a setting of each server behind it: none of theirs can be pinned instead.
Error JumpError(const SshTarget& target, const Error& error, const ForeignKey& foreign) {
  Error within = error.Within("jump to " + target.address);
  if (foreign.shown.empty()) return within;
  return Error(within.code(), within.message(),
               "compare " + foreign.shown + " with what the console of " + target.jump->address +
                   " says; if it is its own, it belongs into jump_fingerprint of the server");
}

// Until its bytes have a way to the server.
Result<std::unique_ptr<Session>> OpenSession(const Call& call, const SshTarget& target) {
  if (target.jump == nullptr) {
    auto socket = ConnectTcp(call, target.address, target.port, target.keepalive_interval_ms);
    if (!socket) return ConnectError(target, socket.error());
    return std::make_unique<Session>(call.clock, *std::move(socket), target);
  }
  ForeignKey foreign;
  auto session = ConnectSsh(call, *target.jump, &foreign);
  if (!session) return JumpError(target, session.error(), foreign);
  auto channel = (*session)->OpenPort(call, target.address, target.port);
  if (!channel) return ConnectError(target, channel.error());
  return std::make_unique<Session>(
      call.clock, std::make_unique<SshJump>(*std::move(session), *std::move(channel)), target);
}

}  // namespace

Result<SshIdentity> ProbeSsh(const Call& call, const SshTarget& target) {
  InitLibssh2Once();
  Call bounded = call;
  bounded.deadline_ms =
      std::min(call.deadline_ms, call.clock.MonotonicMs() + target.connect_timeout_ms);
  auto socket = ConnectTcp(bounded, target.address, target.port, target.keepalive_interval_ms);
  if (!socket) return ConnectError(target, socket.error());
  Session session(call.clock, *std::move(socket), target);
  A4C_TRY(const std::string fingerprint, session.Shake(bounded));
  return SshIdentity{fingerprint, PrintableBanner(session.Banner())};
}

Result<std::unique_ptr<SshSession>> ConnectSsh(const Call& call, const SshTarget& target,
                                               ForeignKey* foreign) {
  InitLibssh2Once();
  const int64_t begun_ms = call.clock.MonotonicMs();
  Call bounded = call;
  bounded.deadline_ms = std::min(call.deadline_ms, begun_ms + target.connect_timeout_ms);
  const auto judged = [&](const Error& error) {
    if (error.code() != Code::kTimeout) return error;
    const int64_t waited_ms = call.clock.MonotonicMs() - begun_ms;
    // The caller's own deadline may be no later than ours.
    if (call.Expired() && waited_ms < target.connect_timeout_ms / kEnoughOfTimeout) return error;
    // Who is to be looked at is another one if it was the name that took the time.
    if (!error.hint().empty()) return CannotConnect(target, error.message(), error.hint());
    return CannotConnect(target, "no answer in " + std::to_string(waited_ms) + " ms");
  };
  auto opened = OpenSession(bounded, target);
  if (!opened) return judged(opened.error());
  std::unique_ptr<Session> session = *std::move(opened);
  const auto started = session->Start(bounded);
  if (foreign != nullptr && !session->foreign().shown.empty()) *foreign = session->foreign();
  if (!started) return judged(started.error());
  return std::unique_ptr<SshSession>(std::move(session));
}

}  // namespace a4c::baremetal
