// The one place where libssh2's error numbers become errors of a4c.
#pragma once

#include <string>

#include "a4c/result.h"

namespace a4c::baremetal {

// rc: what a libssh2 function returned; text: what libssh2_session_last_error says; peer: the
// server's address.
Error SshError(int rc, const std::string& text, const std::string& peer);

}  // namespace a4c::baremetal
