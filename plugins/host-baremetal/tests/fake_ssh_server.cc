#include "tests/fake_ssh_server.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <list>
#include <utility>

namespace a4c::baremetal {
namespace {

constexpr int kPollMs = 20;
constexpr size_t kPieceBytes = 32u << 10;

ssh_key NewKey() {
  ssh_key key = nullptr;
  if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK) std::abort();
  return key;
}

std::string FingerprintOf(ssh_key key) {
  unsigned char* hash = nullptr;
  size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != 0) std::abort();
  char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
  std::string fingerprint = text;
  ssh_string_free_char(text);
  ssh_clean_pubkey_hash(&hash);
  return fingerprint;
}

int Listen() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof(any)) != 0 || listen(fd, 64) != 0) {
    std::abort();
  }
  return fd;
}

int PortOf(int listener) {
  sockaddr_in own{};
  socklen_t size = sizeof(own);
  getsockname(listener, reinterpret_cast<sockaddr*>(&own), &size);
  return ntohs(own.sin_port);
}

int ConnectTo(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

// A channel and the socket that it leads to.
class Relay {
 public:
  using OnCommand = std::function<void(const char* command)>;
  Relay(ssh_channel channel, int fd, OnCommand on_command)
      : channel_(channel), fd_(fd), on_command_(std::move(on_command)) {
    callbacks_.userdata = this;
    callbacks_.channel_exec_request_function = [](ssh_session, ssh_channel, const char* command,
                                                  void* data) {
      static_cast<Relay*>(data)->on_command_(command);
      return 0;
    };
    ssh_callbacks_init(&callbacks_);
    ssh_set_channel_callbacks(channel_, &callbacks_);
  }
  ~Relay() {
    if (fd_ >= 0) close(fd_);
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  int fd() const { return fd_; }

  void Move() {
    if (over_) return;
    if (fd_ >= 0) {
      MoveUp();
      if (MoveDown()) return;
      close(std::exchange(fd_, -1));
    }
    over_ = true;
    ssh_channel_send_eof(channel_);
    ssh_channel_close(channel_);
  }

 private:
  // What the socket does not take is not read either, so that the client has to wait.
  void MoveUp() {
    std::array<char, kPieceBytes> piece;
    while (true) {
      if (up_.empty()) {
        const int count =
            ssh_channel_read_nonblocking(channel_, piece.data(), piece.size(), /*is_stderr=*/0);
        if (count <= 0) return;
        up_.assign(piece.data(), static_cast<size_t>(count));
      }
      const ssize_t sent = send(fd_, up_.data(), up_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) return;
      up_.erase(0, static_cast<size_t>(sent));
    }
  }

  // False once either side has ended.
  bool MoveDown() {
    std::array<char, kPieceBytes> piece;
    while (true) {
      if (down_.empty()) {
        const ssize_t count = recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) break;
        if (count <= 0) return false;
        down_.assign(piece.data(), static_cast<size_t>(count));
      }
      const int written =
          ssh_channel_write(channel_, down_.data(), static_cast<uint32_t>(down_.size()));
      if (written <= 0) break;
      down_.erase(0, static_cast<size_t>(written));
    }
    return ssh_channel_is_open(channel_) != 0 && ssh_channel_is_eof(channel_) == 0;
  }

  const ssh_channel channel_;  // of the session, which frees it
  int fd_;                     // -1: nobody listened there, or it has ended
  std::string up_;             // read from one side, not yet taken by the other
  std::string down_;
  bool over_ = false;
  const OnCommand on_command_;
  ssh_channel_callbacks_struct callbacks_{};
};

}  // namespace

// One client.
struct FakeSshServer::Peer {
  Peer(FakeSshServer& of, const std::string& host_key, int fd) : server(of) {
    ssh_key key = nullptr;
    if (ssh_pki_import_privkey_file(host_key.c_str(), nullptr, nullptr, nullptr, &key) != SSH_OK) {
      std::abort();
    }
    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key);  // it owns the key now
    callbacks.userdata = this;
    callbacks.auth_pubkey_function = [](ssh_session, const char*, ssh_key_struct*, char,
                                        void*) -> int { return SSH_AUTH_SUCCESS; };
    callbacks.channel_open_request_session_function = [](ssh_session session,
                                                         void* data) -> ssh_channel {
      return static_cast<Peer*>(data)->Lead(ssh_channel_new(session));
    };
    ssh_callbacks_init(&callbacks);
    ssh_set_server_callbacks(ssh, &callbacks);
    ssh_set_message_callback(
        ssh,
        [](ssh_session, ssh_message message, void* data) {
          if (ssh_message_type(message) != SSH_REQUEST_CHANNEL_OPEN) return 1;
          static_cast<Peer*>(data)->Lead(ssh_message_channel_request_open_reply_accept(message));
          return 0;
        },
        this);
    over = ssh_bind_accept_fd(bind, ssh, fd) != SSH_OK;
    ssh_set_blocking(ssh, 0);
  }
  ~Peer() {
    ssh_event_free(event);
    ssh_free(ssh);
    ssh_bind_free(bind);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  ssh_channel Lead(ssh_channel channel) {
    relays.emplace_back(channel, ConnectTo(server.target()),
                        [this](const char* command) { server.Note(command); });
    return channel;
  }

  void Speak() {
    if (!established) {
      const int rc = ssh_handle_key_exchange(ssh);
      if (rc == SSH_AGAIN) return;
      over = rc != SSH_OK;
      if (over) return;
      established = true;
      ssh_set_auth_methods(ssh, SSH_AUTH_METHOD_PUBLICKEY);
      ssh_event_add_session(event, ssh);
    }
    while (!over) {
      const int rc = ssh_event_dopoll(event, 0);
      over = rc == SSH_ERROR || ssh_is_connected(ssh) == 0;
      if (rc == SSH_AGAIN) break;
    }
    for (Relay& relay : relays) relay.Move();
  }

  FakeSshServer& server;
  const ssh_bind bind = ssh_bind_new();
  const ssh_session ssh = ssh_new();
  const ssh_event event = ssh_event_new();
  ssh_server_callbacks_struct callbacks{};
  std::list<Relay> relays;
  bool established = false;
  bool over = false;
};

FakeSshServer::FakeSshServer(Threads& threads, std::string target)
    : listener_(Listen()), port_(PortOf(listener_)), target_(std::move(target)) {
  key_path_ = directory_.path() + "/key";
  ssh_key key = NewKey();
  fingerprint_ = FingerprintOf(key);
  if (ssh_pki_export_privkey_file(key, nullptr, nullptr, nullptr, key_path_.c_str()) != SSH_OK) {
    std::abort();
  }
  ssh_key_free(key);
  std::filesystem::permissions(key_path_, std::filesystem::perms::owner_read);
  thread_ = threads.Start("fake-sshd", [this](const std::stop_token& stop) { Run(stop); });
}

FakeSshServer::~FakeSshServer() {
  thread_.reset();
  close(listener_);
}

void FakeSshServer::SetTarget(std::string path) {
  const std::lock_guard lock(mutex_);
  target_ = std::move(path);
}

std::string FakeSshServer::target() const {
  const std::lock_guard lock(mutex_);
  return target_;
}

std::vector<std::string> FakeSshServer::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

void FakeSshServer::Note(const char* command) {
  const std::lock_guard lock(mutex_);
  commands_.emplace_back(command);
}

void FakeSshServer::Run(const std::stop_token& stop) {
  std::list<Peer> peers;
  while (!stop.stop_requested()) {
    std::vector<pollfd> entries{{listener_, POLLIN, 0}};
    for (const Peer& peer : peers) {
      entries.push_back({ssh_get_fd(peer.ssh), POLLIN, 0});
      for (const Relay& relay : peer.relays) entries.push_back({relay.fd(), POLLIN, 0});
    }
    poll(entries.data(), entries.size(), kPollMs);
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      peers.emplace_back(*this, key_path_, fd);
    }
    for (Peer& peer : peers) peer.Speak();
    peers.remove_if([](const Peer& peer) { return peer.over; });
  }
}

}  // namespace a4c::baremetal
