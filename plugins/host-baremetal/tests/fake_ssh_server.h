// For tests: an sshd on a free port of this machine that lets everybody in, and leads each channel,
// whether to a socket or to a command, to a Unix socket of this machine. It closes a channel as
// soon as that socket is closed, and goes on with the others.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "a4c/clock.h"
#include "helper/temporary_directory.h"

namespace a4c::baremetal {

class FakeSshServer {
 public:
  FakeSshServer(Threads& threads, std::string target);
  ~FakeSshServer();
  int port() const { return port_; }
  const std::string& fingerprint() const { return fingerprint_; }
  // A key that a client may log in with, as it may with any.
  const std::string& key_path() const { return key_path_; }
  // Where channels lead that are opened from now on.
  void SetTarget(std::string path);
  // Those that channels were opened for.
  std::vector<std::string> commands() const;

 private:
  struct Peer;
  void Run(const std::stop_token& stop);
  std::string target() const;
  void Note(const char* command);

  helper::TemporaryDirectory directory_;
  std::string key_path_;
  std::string fingerprint_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::string target_;  // guarded by mutex_, as is the next
  std::vector<std::string> commands_;
  std::unique_ptr<Thread> thread_;  // last: joined before what it uses goes
};

}  // namespace a4c::baremetal
