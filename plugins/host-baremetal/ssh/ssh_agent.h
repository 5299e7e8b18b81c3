// An ssh agent of this machine: which keys it holds, and what they sign. Spoken by us over its
// socket (draft-miller-ssh-agent), because libssh2 waits for an agent for ever.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ssh/byte_channel.h"

namespace a4c::baremetal {

struct AgentIdentity {
  std::string public_key;   // as SSH sends it
  std::string type;         // "ssh-ed25519"
  std::string fingerprint;  // "SHA256:...", as ssh-add -l shows it
  std::string comment;
};

// [one thread at a time]
class SshAgent {
 public:
  // kUnavailable: nobody listens there.
  static Result<std::unique_ptr<SshAgent>> Connect(const Call& call, const std::string& path);
  // Those that can log in: ed25519 and ECDSA, of these only the one with that fingerprint unless it
  // is empty. kDenied: there is none, and what there is.
  Result<std::vector<AgentIdentity>> Identities(const Call& call, const std::string& fingerprint);
  // The bytes of the signature alone. kDenied: it does not sign, because it is locked or was told
  // to ask.
  Result<std::string> Sign(const Call& call, const AgentIdentity& identity, std::string_view data);

 private:
  SshAgent(std::unique_ptr<ByteChannel> channel, std::string path)
      : channel_(std::move(channel)), path_(std::move(path)) {}
  // The answer to it, of any type.
  Result<std::string> Ask(const Call& call, const std::string& message);
  Result<std::string> ReadExactly(const Call& call, size_t size);
  Result<std::vector<AgentIdentity>> ReadAll(const Call& call);
  Error Lost(const Error& error) const;

  const std::unique_ptr<ByteChannel> channel_;
  const std::string path_;
};

}  // namespace a4c::baremetal
