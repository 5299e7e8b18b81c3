// The one place where answers of the Docker API become errors of a4c.
#pragma once

#include <string>
#include <string_view>

#include "a4c/result.h"

namespace a4c::baremetal {

// body: the answer, {"message": "..."}; effect: whether the request was to change something.
Error DockerError(int status, std::string_view body, bool effect);

// The same of an answer of a4c-host.
Error HelperError(int status, std::string_view body, bool effect);

// The same error after something else was done, or may have been: "nothing was done" is unknown.
Error AfterEffect(const Error& error);

// The message in such a body, or the body itself; at most 1,000 bytes of it.
std::string DockerMessage(std::string_view body);

}  // namespace a4c::baremetal
