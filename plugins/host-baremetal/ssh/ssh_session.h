// One SSH connection to a server whose host key is known beforehand.
//
// The key that the server shows is compared with the pinned fingerprint before anything else is
// said: with another key no user name, no signature and no command is sent. There is no trust on
// first use.
#pragma once

#include <memory>
#include <string>

#include "ssh/byte_channel.h"

namespace a4c::baremetal {

struct SshTarget {
  std::string address;
  int port = 22;
  std::string user;
  std::string host_key_fingerprint;
  std::string private_key_path;
  std::string agent = {};      // instead: the socket of an ssh agent that holds the key
  std::string agent_key = {};  // its fingerprint; empty: whichever the server takes
  int64_t connect_timeout_ms = 5'000;
  int64_t keepalive_interval_ms = 15'000;      // 0: nobody is asked
  std::shared_ptr<const SshTarget> jump = {};  // reached through this one, by its own key
};

// [one thread at a time, one channel at a time]
class SshSession {
 public:
  virtual ~SshSession() = default;
  // A stream to a Unix socket on the server (direct-streamlocal@openssh.com).
  virtual Result<std::unique_ptr<ByteChannel>> OpenSocket(const Call& call,
                                                          const std::string& path) = 0;
  // A stream to a command. `command` is read by a shell there: a constant or a checked setting,
  // never anything that a user wrote.
  virtual Result<std::unique_ptr<ByteChannel>> OpenCommand(const Call& call,
                                                           const std::string& command) = 0;
  // A stream to a TCP port that the server can reach. kUnavailable: it cannot.
  virtual Result<std::unique_ptr<ByteChannel>> OpenPort(const Call& call,
                                                        const std::string& address, int port) = 0;
  // False once the connection failed or was left in the middle of something.
  virtual bool Usable() const = 0;
};

struct SshIdentity {
  std::string fingerprint;
  std::string banner;  // "SSH-2.0-OpenSSH_9.2p1"
};
// Who answers there; nobody logs in. Of target only the address, port and timeout count.
Result<SshIdentity> ProbeSsh(const Call& call, const SshTarget& target);

// A server that is not the one whose key is pinned.
struct ForeignKey {
  std::string pinned;
  std::string shown;  // empty: there is none
};

// kDenied: another host key (the message names both fingerprints) or the key was not accepted.
// kUnavailable: not reached within connect_timeout_ms. kTimeout: the call ended long before that.
// foreign: set if it showed another host key; not if a server on the way to it did.
Result<std::unique_ptr<SshSession>> ConnectSsh(const Call& call, const SshTarget& target,
                                               ForeignKey* foreign = nullptr);

}  // namespace a4c::baremetal
