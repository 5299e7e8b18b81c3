#include "apps/a4c/sessions/ssh_channel.h"

#include <fcntl.h>
#include <libssh/server.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "apps/a4c/sessions/exec.h"
#include "apps/a4c/sessions/forward.h"

namespace a4c_cli {

using a4c::Json;
using a4c::Result;

namespace {

constexpr size_t kPieceBytes = 32u << 10;
constexpr int kPipeBytes = 256 << 10;  // a hint: the kernel may give less
constexpr size_t kVariablesMax = 64;
constexpr int kGranted = 0;
constexpr int kRefused = 1;
constexpr int kSshFailed = 255;  // what ssh itself ends with when it fails

// Reading end, writing end.
std::optional<std::pair<Descriptor, Descriptor>> NewPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

void NeverBlock(const Descriptor& descriptor) {
  fcntl(descriptor.fd(), F_SETFL, O_NONBLOCK);
}

// A client without a terminal of its own sends zeros, which mean nothing (RFC 4254, section 6.2).
WindowSize SizeOf(int width, int height) {
  constexpr WindowSize kUsual{.rows = 24, .columns = 80};
  return {.rows = height > 0 ? height : kUsual.rows, .columns = width > 0 ? width : kUsual.columns};
}

std::string Sentence(const std::string& message, const std::string& hint) {
  return "a4c: " + message + (hint.empty() ? "" : " (" + hint + ")") + "\r\n";
}

// A constant of ours: nothing in it was typed by anybody.
constexpr const char* kSftpServer =
    "for server in /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server "
    "/usr/libexec/openssh/sftp-server /usr/libexec/sftp-server; do "
    "[ -x $server ] && exec $server; done; "
    "echo 'a4c: this image has no sftp-server; install it there, or use: a4c workspace cp' >&2; "
    "exit 127";

}  // namespace

struct SshChannel::Terms {
  Json env = Json::Object{};
  std::optional<WindowSize> terminal = {};
};

struct SshChannel::Shared {
  // The relay's ends, closed once it has ended.
  Descriptor input;
  Descriptor output;
  Descriptor errors;
  Descriptor wake;

  std::atomic<bool> over = false;  // the relay has ended

  std::mutex mutex;  // guards the next
  WindowSize window;
  std::optional<int> exit_code = {};
  std::string complaint = {};

  void SetWindow(const WindowSize& size) {
    const std::lock_guard lock(mutex);
    window = size;
  }
  WindowSize Window() {
    const std::lock_guard lock(mutex);
    return window;
  }
  void End(std::optional<int> code, std::string text) {
    const std::lock_guard lock(mutex);
    exit_code = code;
    complaint = std::move(text);
  }
};

SshChannel::SshChannel(const Session& session, std::string workspace, ssh_channel channel)
    : session_(session),
      workspace_(std::move(workspace)),
      channel_(channel),
      terms_(std::make_unique<Terms>()) {
  callbacks_.userdata = this;
  SetTermsCallbacks();
  SetCommandCallbacks();
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_, &callbacks_);
}

SshChannel::~SshChannel() {
  Abandon();
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
}

void SshChannel::SetTermsCallbacks() {
  callbacks_.channel_pty_request_function = [](ssh_session, ssh_channel, const char* term,
                                               int width, int height, int, int, void* data) {
    Terms& terms = *static_cast<SshChannel*>(data)->terms_;
    terms.terminal = SizeOf(width, height);
    if (term != nullptr && *term != 0) terms.env.Set("TERM", std::string(term));
    return kGranted;
  };
  callbacks_.channel_pty_window_change_function = [](ssh_session, ssh_channel, int width,
                                                     int height, int, int, void* data) {
    const SshChannel& self = *static_cast<SshChannel*>(data);
    if (self.shared_ == nullptr) return kRefused;
    self.shared_->SetWindow(SizeOf(width, height));
    (void)!write(self.wake_.fd(), "", 1);
    return kGranted;
  };
  callbacks_.channel_env_request_function = [](ssh_session, ssh_channel, const char* name,
                                               const char* value, void* data) {
    Terms& terms = *static_cast<SshChannel*>(data)->terms_;
    if (terms.env.Members().size() >= kVariablesMax) return kRefused;
    terms.env.Set(name, std::string(value));
    return kGranted;
  };
}

void SshChannel::SetCommandCallbacks() {
  callbacks_.channel_shell_request_function = [](ssh_session, ssh_channel, void* data) {
    return static_cast<SshChannel*>(data)->Run(ShellCommand()) ? kGranted : kRefused;
  };
  callbacks_.channel_exec_request_function = [](ssh_session, ssh_channel, const char* command,
                                                void* data) {
    return static_cast<SshChannel*>(data)->Run({"sh", "-c", command}) ? kGranted : kRefused;
  };
  callbacks_.channel_subsystem_request_function = [](ssh_session, ssh_channel, const char* name,
                                                     void* data) {
    if (std::string_view(name) != "sftp") return kRefused;
    return static_cast<SshChannel*>(data)->Run({"sh", "-c", kSftpServer}) ? kGranted : kRefused;
  };
}

bool SshChannel::Start(const std::string& name,
                       std::function<void(Shared&, const RelayDescriptors&)> relay) {
  auto input = NewPipe();
  auto output = NewPipe();
  auto errors = NewPipe();
  auto wake = NewPipe();
  if (shared_ != nullptr || !input || !output || !errors || !wake) return false;
  shared_ = std::make_shared<Shared>(std::move(input->first), std::move(output->second),
                                     std::move(errors->second), std::move(wake->first));
  input_ = std::move(input->second);
  output_ = std::move(output->first);
  errors_ = std::move(errors->first);
  wake_ = std::move(wake->second);
  for (const Descriptor* ours : {&input_, &output_, &errors_, &wake_}) NeverBlock(*ours);
  // What a relay may fill without waiting, it writes in large pieces.
  for (const Descriptor* end : {&shared_->output, &shared_->errors}) NeverBlock(*end);
  for (const Descriptor* pipe : {&input_, &output_}) fcntl(pipe->fd(), F_SETPIPE_SZ, kPipeBytes);
  if (terms_->terminal) shared_->SetWindow(*terms_->terminal);
  thread_ = session_.runtime.threads.Start(
      name, [shared = shared_, relay = std::move(relay)](const std::stop_token&) {
        relay(*shared, {.input = shared->input.fd(),
                        .output = shared->output.fd(),
                        .errors = shared->errors.fd(),
                        .wake = shared->wake.fd()});
        for (Descriptor* end : {&shared->input, &shared->output, &shared->errors}) end->Close();
        shared->over = true;
      });
  return true;
}

bool SshChannel::Run(std::vector<std::string> command) {
  ExecOptions options;
  options.workspace = workspace_;
  options.command = std::move(command);
  options.env = terms_->env;
  options.terminal = terms_->terminal.has_value();
  // It may outlive the channel.
  return Start(
      "ssh-exec", [&session = session_, options](Shared& shared, const RelayDescriptors& ends) {
        ExecOptions mine = options;
        mine.descriptors = ends;
        mine.window_size = [&shared] { return shared.Window(); };
        const Result<ExecEnd> end = RunInWorkspace(session, mine);
        if (!end)
          return shared.End(kSshFailed, Sentence(end.error().message(), end.error().hint()));
        if (!end->problem) return shared.End(end->exit_code, "");
        const Json& problem = end->problem->body;
        shared.End(kSshFailed, Sentence(problem["detail"].Text(), problem["hint"].Text()));
      });
}

bool SshChannel::Forward(int port) {
  return Start("ssh-forward", [&session = session_, workspace = workspace_, port](
                                  Shared&, const RelayDescriptors& ends) {
    const Result<void> end = ForwardConnection(session, workspace, port, ends);
    // Its own end, seen from the other side, is no failure; and it has no errors to write to.
    if (!end && end.error().code() != a4c::Code::kCanceled) {
      session.Note("a forward failed: " + end.error().ToString());
    }
  });
}

void SshChannel::AddTo(std::vector<pollfd>& fds) const {
  if (input_.IsOpen() && !unwritten_.empty()) fds.push_back({input_.fd(), POLLOUT, 0});
  if (ssh_channel_window_size(channel_) == 0) return;  // the client says when there is more
  if (output_.IsOpen()) fds.push_back({output_.fd(), POLLIN, 0});
  if (errors_.IsOpen()) fds.push_back({errors_.fd(), POLLIN, 0});
}

void SshChannel::Move() {
  if (ended_ || shared_ == nullptr) {
    ended_ = ended_ || ssh_channel_is_closed(channel_) != 0;
    return;
  }
  TakeInput();
  GiveOutput(output_, false);
  GiveOutput(errors_, true);
  if (ended_) return;
  if (!output_.IsOpen() && !errors_.IsOpen()) {
    Finish();
  } else if (ssh_channel_is_closed(channel_) != 0) {
    Abandon();
  }
}

void SshChannel::TakeInput() {
  std::array<char, kPieceBytes> piece;
  while (input_.IsOpen()) {
    bool wanted = true;
    if (unwritten_.empty()) {
      const int count = ssh_channel_read_nonblocking(channel_, piece.data(), piece.size(), 0);
      const bool over = count == SSH_EOF || count == SSH_ERROR || ssh_channel_is_eof(channel_) != 0;
      if (count <= 0 && over) input_.Close();
      if (count <= 0) return;
      wanted = unwritten_.Write(input_.fd(), {piece.data(), static_cast<size_t>(count)});
    } else {
      wanted = unwritten_.WriteKept(input_.fd());
    }
    if (!wanted) input_.Close();  // the command has ended, or reads no more
    if (!unwritten_.empty()) return;
  }
}

void SshChannel::GiveOutput(Descriptor& from, bool errors) {
  std::array<char, kPieceBytes> piece;
  while (from.IsOpen()) {
    const size_t window = ssh_channel_window_size(channel_);
    if (window == 0) return;
    const ssize_t count = read(from.fd(), piece.data(), std::min(window, piece.size()));
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      from.Close();
      return;
    }
    const auto size = static_cast<uint32_t>(count);
    const int sent = errors ? ssh_channel_write_stderr(channel_, piece.data(), size)
                            : ssh_channel_write(channel_, piece.data(), size);
    if (sent != static_cast<int>(size)) {
      Abandon();
      return;
    }
  }
}

void SshChannel::Finish() {
  thread_->Join();  // it closed its ends last
  if (!shared_->complaint.empty()) {
    ssh_channel_write_stderr(channel_, shared_->complaint.data(),
                             static_cast<uint32_t>(shared_->complaint.size()));
  }
  if (shared_->exit_code) ssh_channel_request_send_exit_status(channel_, *shared_->exit_code);
  ssh_channel_send_eof(channel_);
  ssh_channel_close(channel_);
  ended_ = true;
}

// Whoever asked for it has gone: the relay ends, and the server ends the command.
void SshChannel::Abandon() {
  for (Descriptor* mine : {&input_, &output_, &errors_, &wake_}) mine->Close();
  ended_ = true;
}

SshChannel::Leaving SshChannel::Leave() {
  if (thread_ == nullptr || shared_->over) return {};
  return {std::move(thread_), {shared_, &shared_->over}};
}

}  // namespace a4c_cli
