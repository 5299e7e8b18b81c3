// One channel of an SSH session, and what it leads to: a command in the workspace, or a port of it.
//
// The SSH session belongs to one thread, which alone calls this; the other end is a Relay on a
// thread of its own. Between them are pipes, so that each side waits for the other without blocking
// it.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <poll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/a4c/session.h"
#include "apps/a4c/sessions/descriptor.h"
#include "apps/a4c/sessions/relay.h"
#include "apps/a4c/sessions/spill.h"

namespace a4c_cli {

class SshChannel {
 public:
  SshChannel(const Session& session, std::string workspace, ssh_channel channel);
  ~SshChannel();
  SshChannel(const SshChannel&) = delete;
  SshChannel& operator=(const SshChannel&) = delete;

  // To a port of the workspace's loopback. False: no pipes or thread are left for it.
  bool Forward(int port);

  // What it waits for.
  void AddTo(std::vector<pollfd>& fds) const;
  // Moves what can be moved, without waiting.
  void Move();
  // Both sides have ended it, or the client has.
  bool ended() const { return ended_; }
  // The thread of one that the client has ended. It may take as long as a request to the API to
  // see that, and holds up nobody meanwhile. Null: it is over.
  struct Leaving {
    std::unique_ptr<a4c::Thread> thread;
    std::shared_ptr<const std::atomic<bool>> over;
  };
  Leaving Leave();

 private:
  struct Shared;  // with the relay's thread
  struct Terms;   // what was asked for before the command
  void SetTermsCallbacks();
  void SetCommandCallbacks();
  bool Run(std::vector<std::string> command);
  bool Start(const std::string& name, std::function<void(Shared&, const RelayDescriptors&)> relay);
  void TakeInput();
  void GiveOutput(Descriptor& from, bool errors);
  void Finish();
  void Abandon();

  const Session& session_;
  const std::string workspace_;
  const ssh_channel channel_;
  ssh_channel_callbacks_struct callbacks_{};
  const std::unique_ptr<Terms> terms_;
  std::shared_ptr<Shared> shared_;
  Descriptor input_;
  Descriptor output_;
  Descriptor errors_;
  Descriptor wake_;
  Spill unwritten_;  // of the input
  bool ended_ = false;
  std::unique_ptr<a4c::Thread> thread_;
};

}  // namespace a4c_cli
