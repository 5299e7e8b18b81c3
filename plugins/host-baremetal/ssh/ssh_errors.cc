#include "ssh/ssh_errors.h"

#include <libssh2.h>

#include <algorithm>
#include <iterator>

namespace a4c::baremetal {
namespace {

struct Row {
  int rc;
  Code code;
  const char* hint;
};

constexpr const char* kKeyHint =
    "is the public key in authorized_keys of that user, and is it an ed25519 key?";

constexpr Row kTable[] = {
    {LIBSSH2_ERROR_AUTHENTICATION_FAILED, Code::kDenied, kKeyHint},
    {LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, Code::kDenied, kKeyHint},
    {LIBSSH2_ERROR_KEYFILE_AUTH_FAILED, Code::kDenied, kKeyHint},
    {LIBSSH2_ERROR_FILE, Code::kInvalid, "the private key file is missing, encrypted or damaged"},
    {LIBSSH2_ERROR_METHOD_NOT_SUPPORTED, Code::kUnsupported, "use an ed25519 key"},
    {LIBSSH2_ERROR_KEX_FAILURE, Code::kUnavailable,
     "has the server an ed25519 or ECDSA host key, and room for one more connection "
     "(MaxStartups)?"},
    {LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE, Code::kUnavailable,
     "has the server an ed25519 or ECDSA host key, and room for one more connection "
     "(MaxStartups)?"},
    {LIBSSH2_ERROR_CHANNEL_FAILURE, Code::kUnavailable,
     "does sshd allow AllowStreamLocalForwarding and sessions (MaxSessions)?"},
    {LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED, Code::kUnavailable, "does sshd allow commands?"},
    {LIBSSH2_ERROR_ALLOC, Code::kInternal, ""},
    {LIBSSH2_ERROR_BAD_USE, Code::kInternal, ""},
    {LIBSSH2_ERROR_INVAL, Code::kInternal, ""},
};

}  // namespace

Error SshError(int rc, const std::string& text, const std::string& peer) {
  const auto row = std::ranges::find(kTable, rc, &Row::rc);
  const std::string what = text.empty() ? "error " + std::to_string(rc) : text;
  // A connection that breaks while the server thinks about a key has the number of a refused key.
  // Whatever is not in the table is a matter of the connection: sockets, packets, time.
  if (row == std::end(kTable) || text.starts_with("Waiting for")) {
    return Error(Code::kUnavailable, "ssh to " + peer + ": the connection broke (" + what + ")",
                 "is the server up, and the way to it?");
  }
  return Error(row->code, "ssh to " + peer + ": " + what, row->hint);
}

}  // namespace a4c::baremetal
