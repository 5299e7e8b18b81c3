// Files that a command line or a config names.
#pragma once

#include <cstddef>
#include <string>

#include "a4c/result.h"

namespace a4c::usage {

// All of it; a pipe too. kInvalid, naming it: it is not there, is a directory, cannot be read, or
// is longer.
Result<std::string> ReadNamedFile(const std::string& path, size_t bytes_max = 64u << 20);

}  // namespace a4c::usage
