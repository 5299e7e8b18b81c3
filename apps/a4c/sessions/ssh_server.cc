#include "apps/a4c/sessions/ssh_server.h"

#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <list>
#include <memory>

#include "apps/a4c/sessions/spill.h"
#include "apps/a4c/sessions/ssh_channel.h"
#include "apps/a4c/sessions/ssh_files.h"

namespace a4c_cli {

using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

constexpr size_t kChannelsMax = 64;
constexpr size_t kPieceBytes = 64u << 10;
constexpr int kRestMaxMs = 1'000;
constexpr int kLooksMax = 16;

// Bytes one way, from a descriptor to another, never waiting.
class Flow {
 public:
  Flow(int from, int to) : from_(from), to_(to) {}
  bool ended() const { return ended_; }
  void AddTo(std::vector<pollfd>& fds) const {
    if (ended_) return;
    fds.push_back(unwritten_.empty() ? pollfd{from_, POLLIN, 0} : pollfd{to_, POLLOUT, 0});
  }
  void Move() {
    std::array<char, kPieceBytes> piece;
    while (!ended_) {
      if (unwritten_.empty()) {
        const ssize_t count = read(from_, piece.data(), piece.size());
        if (count < 0 && errno == EAGAIN) return;
        ended_ = count <= 0 || !unwritten_.Write(to_, {piece.data(), static_cast<size_t>(count)});
      } else {
        ended_ = !unwritten_.WriteKept(to_);
      }
      if (!unwritten_.empty()) return;
    }
  }

 private:
  const int from_;
  const int to_;
  Spill unwritten_;
  bool ended_ = false;
};

class SshServer {
 public:
  SshServer(const Session& session, std::string workspace)
      : session_(session), workspace_(std::move(workspace)) {}
  ~SshServer() {
    channels_.clear();
    ssh_event_free(event_);
    ssh_free(ssh_);
    ssh_bind_free(bind_);
  }
  SshServer(const SshServer&) = delete;
  SshServer& operator=(const SshServer&) = delete;

  Result<void> Run() {
    A4C_CHECK(Open());
    Flow in(STDIN_FILENO, transport_.fd());
    Flow out(transport_.fd(), STDOUT_FILENO);
    while (!in.ended() && !out.ended() && !over_) {
      Rest(in, out);
      in.Move();
      A4C_CHECK(Speak());
      out.Move();
    }
    return {};
  }

 private:
  Error Failed(const char* what) const {
    return Error(Code::kInternal, std::string(what) + ": " + ssh_get_error(ssh_));
  }
  Result<void> Open();
  Result<void> Speak();
  void Rest(const Flow& in, const Flow& out) const;
  SshChannel* NewChannel(ssh_channel channel);
  bool Full() const { return channels_.size() + leaving_.size() >= kChannelsMax; }
  void SeeOff();
  bool OpenForward(ssh_message message);

  const Session& session_;
  const std::string workspace_;
  Descriptor transport_;  // the client's side; libssh has the other
  const ssh_bind bind_ = ssh_bind_new();
  const ssh_session ssh_ = ssh_new();
  const ssh_event event_ = ssh_event_new();
  ssh_server_callbacks_struct callbacks_{};
  std::list<SshChannel> channels_;
  std::list<SshChannel::Leaving> leaving_;
  bool established_ = false;
  bool over_ = false;
};

Result<void> SshServer::Open() {
  A4C_TRY(ssh_key key, HostKey(SshFolder()));
  ssh_bind_options_set(bind_, SSH_BIND_OPTIONS_IMPORT_KEY, key);  // it owns the key now
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return Failed("there is no socket left");
  }
  transport_ = Descriptor(ends[0]);
  callbacks_.userdata = this;
  callbacks_.auth_none_function = [](ssh_session, const char*, void*) -> int {
    return SSH_AUTH_SUCCESS;
  };
  callbacks_.channel_open_request_session_function = [](ssh_session ssh,
                                                        void* data) -> ssh_channel {
    auto& self = *static_cast<SshServer*>(data);
    if (self.Full()) return nullptr;
    ssh_channel channel = ssh_channel_new(ssh);
    self.NewChannel(channel);
    return channel;
  };
  ssh_callbacks_init(&callbacks_);
  ssh_set_server_callbacks(ssh_, &callbacks_);
  ssh_set_message_callback(
      ssh_,
      [](ssh_session, ssh_message message, void* data) {
        return static_cast<SshServer*>(data)->OpenForward(message) ? 0 : 1;
      },
      this);
  if (ssh_bind_accept_fd(bind_, ssh_, ends[1]) != SSH_OK) return Failed("SSH cannot begin");
  ssh_set_blocking(ssh_, 0);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) fcntl(fd, F_SETFL, O_NONBLOCK);
  return {};
}

SshChannel* SshServer::NewChannel(ssh_channel channel) {
  return &channels_.emplace_back(session_, workspace_, channel);
}

// True: it is answered.
bool SshServer::OpenForward(ssh_message message) {
  if (ssh_message_type(message) != SSH_REQUEST_CHANNEL_OPEN ||
      ssh_message_subtype(message) != SSH_CHANNEL_DIRECT_TCPIP || Full()) {
    return false;
  }
  const std::string host = ssh_message_channel_request_open_destination(message);
  const bool loopback = host == "localhost" || host == "127.0.0.1" || host == "::1";
  if (!loopback) {
    session_.Note("ssh asked for " + host + ": forwards lead to the workspace's localhost only");
    return false;
  }
  const int port = ssh_message_channel_request_open_destination_port(message);
  ssh_channel channel = ssh_message_channel_request_open_reply_accept(message);
  return channel != nullptr && NewChannel(channel)->Forward(port);
}

Result<void> SshServer::Speak() {
  if (!established_) {
    const int result = ssh_handle_key_exchange(ssh_);
    if (result == SSH_AGAIN) return {};
    if (result != SSH_OK) return Failed("the key exchange failed");
    established_ = true;
    ssh_set_auth_methods(ssh_, SSH_AUTH_METHOD_NONE);
    ssh_event_add_session(event_, ssh_);
  }
  // libssh reads 4 KiB of its socket at each look: a packet of a file has eight times as much.
  for (int look = 0; look < kLooksMax && !over_; ++look) {
    const int looked = ssh_event_dopoll(event_, 0);
    over_ = looked == SSH_ERROR || ssh_is_connected(ssh_) == 0;
    if (looked == SSH_AGAIN) break;
  }
  for (SshChannel& channel : channels_) channel.Move();
  SeeOff();
  return {};
}

void SshServer::SeeOff() {
  channels_.remove_if([this](SshChannel& channel) {
    if (!channel.ended()) return false;
    SshChannel::Leaving leaving = channel.Leave();
    if (leaving.thread != nullptr) leaving_.push_back(std::move(leaving));
    return true;
  });
  leaving_.remove_if([](const SshChannel::Leaving& leaving) { return leaving.over->load(); });
}

void SshServer::Rest(const Flow& in, const Flow& out) const {
  const bool sending = (ssh_get_poll_flags(ssh_) & SSH_WRITE_PENDING) != 0;
  std::vector<pollfd> fds = {
      {ssh_get_fd(ssh_), static_cast<short>(POLLIN | (sending ? POLLOUT : 0)), 0}};
  in.AddTo(fds);
  out.AddTo(fds);
  for (const SshChannel& channel : channels_) channel.AddTo(fds);
  poll(fds.data(), fds.size(), kRestMaxMs);
}

}  // namespace

int ServeSsh(Session& session, const std::string& workspace) {
  // What is refused anyway is said before SSH begins.
  Reply reply;
  if (!session.Send({.path = "/v1/workspaces/" + PercentEncode(workspace)}, reply)) {
    return session.exit_code;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const Result<void> served = SshServer(session, workspace).Run();
  return served ? kOk : session.Complain(served.error());
}

}  // namespace a4c_cli
