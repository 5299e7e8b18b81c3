#include "ssh/ssh_agent.h"

#include <Poco/SHA2Engine.h>

#include <algorithm>
#include <array>
#include <utility>

#include "ssh/socket.h"
#include "ssh/ssh_key.h"
#include "ssh/ssh_wire.h"

namespace a4c::baremetal {
namespace {

constexpr char kListKeys = 11;
constexpr char kKeys = 12;
constexpr char kSign = 13;
constexpr char kSignature = 14;
constexpr size_t kMessageBytesMax = 256u << 10;  // OpenSSH's own bound
constexpr uint32_t kIdentitiesMax = 1'000;
constexpr size_t kNamedMax = 10;
constexpr std::array<std::string_view, 4> kUsable = {"ssh-ed25519", "ecdsa-sha2-nistp256",
                                                     "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"};

std::string FingerprintOf(const std::string& public_key) {
  Poco::SHA2Engine digest(Poco::SHA2Engine::SHA_256);
  digest.update(public_key.data(), public_key.size());
  const auto& bytes = digest.digest();
  return Fingerprint({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string NamesOf(const std::vector<AgentIdentity>& identities) {
  std::string names;
  for (const AgentIdentity& identity : identities) {
    if (&identity - identities.data() == kNamedMax) return names + ", ...";
    names += (names.empty() ? "" : ", ") + identity.fingerprint + " (" + identity.type + ")";
  }
  return names;
}

}  // namespace

Error SshAgent::Lost(const Error& error) const {
  if (error.code() != Code::kUnavailable) return error.Within("ssh agent " + path_);
  return Error(Code::kUnavailable, "ssh agent " + path_ + ": it does not answer",
               "is it an ssh-agent that listens there?");
}

Result<std::unique_ptr<SshAgent>> SshAgent::Connect(const Call& call, const std::string& path) {
  auto channel = ConnectLocal(call, path);
  if (channel) return std::unique_ptr<SshAgent>(new SshAgent(*std::move(channel), path));
  return Error(channel.error().code(), "ssh agent: " + channel.error().message(),
               "start it as the user of a4cd: ssh-agent -a " + path);
}

Result<std::string> SshAgent::ReadExactly(const Call& call, size_t size) {
  std::string bytes(size, '\0');
  for (size_t at = 0; at < size;) {
    A4C_TRY(const size_t count, channel_->Read(call, bytes.data() + at, size - at));
    if (count == 0) return Error(Code::kUnavailable, "it hung up");
    at += count;
  }
  return bytes;
}

Result<std::string> SshAgent::Ask(const Call& call, const std::string& message) {
  std::string request;
  AppendText(request, message);
  const auto sent = channel_->Write(call, request);
  if (!sent) return Lost(sent.error());
  const auto head = ReadExactly(call, 4);
  if (!head) return Lost(head.error());
  const uint32_t size = *WireReader(*head).Number();
  if (size == 0 || size > kMessageBytesMax) {
    return Lost(Error(Code::kUnavailable, "an answer of " + std::to_string(size) + " bytes"));
  }
  auto answer = ReadExactly(call, size);
  if (!answer) return Lost(answer.error());
  return answer;
}

Result<std::vector<AgentIdentity>> SshAgent::ReadAll(const Call& call) {
  A4C_TRY(const std::string answer, Ask(call, std::string(1, kListKeys)));
  const Error garbled = Lost(Error(Code::kUnavailable, "no list of keys"));
  if (answer.front() != kKeys) return garbled;
  WireReader reader(std::string_view(answer).substr(1));
  const auto count = reader.Number();
  if (!count || *count > kIdentitiesMax) return garbled;
  std::vector<AgentIdentity> identities;
  for (uint32_t i = 0; i < *count; ++i) {
    const auto key = reader.Text();
    const auto comment = reader.Text();
    if (!key || !comment) return garbled;
    identities.push_back({.public_key = *key,
                          .type = WireReader(*key).Text().value_or("?"),
                          .fingerprint = FingerprintOf(*key),
                          .comment = *comment});
  }
  return identities;
}

Result<std::vector<AgentIdentity>> SshAgent::Identities(const Call& call,
                                                        const std::string& fingerprint) {
  A4C_TRY(const std::vector<AgentIdentity> all, ReadAll(call));
  std::vector<AgentIdentity> usable;
  for (const AgentIdentity& identity : all) {
    const bool is_wanted = fingerprint.empty() || fingerprint == identity.fingerprint;
    const bool is_usable = std::ranges::find(kUsable, identity.type) != kUsable.end();
    if (is_wanted && is_usable) usable.push_back(identity);
  }
  if (!usable.empty()) return usable;
  const std::string who = "ssh agent " + path_ + ": ";
  if (all.empty()) return Error(Code::kDenied, who + "it holds no key", "add one: ssh-add FILE");
  return Error(
      Code::kDenied,
      who + "it holds no ed25519 or ECDSA key" + (fingerprint.empty() ? "" : " " + fingerprint) +
          ", only " + NamesOf(all),
      "add one: ssh-keygen -t ed25519, ssh-add FILE; RSA keys do not work with this libssh2");
}

Result<std::string> SshAgent::Sign(const Call& call, const AgentIdentity& identity,
                                   std::string_view data) {
  std::string message(1, kSign);
  AppendText(message, identity.public_key);
  AppendText(message, data);
  AppendNumber(message, 0);
  A4C_TRY(const std::string answer, Ask(call, message));
  WireReader reader(std::string_view(answer).substr(1));
  const auto blob = answer.front() == kSignature ? reader.Text() : std::nullopt;
  WireReader signature(blob ? std::string_view(*blob) : std::string_view());
  const auto type = signature.Text();
  auto bytes = signature.Text();
  if (type && bytes) return *std::move(bytes);
  return Error(Code::kDenied,
               "ssh agent " + path_ + ": it does not sign with " + identity.fingerprint,
               "is it locked (ssh-add -X), or was the key added with -c?");
}

}  // namespace a4c::baremetal
