// A file that is there whole or as it was before.
#pragma once

#include <string>
#include <string_view>

#include "a4c/result.h"

namespace a4c_cli {

// Mode 0600; makes the folders above it. A symbolic link stays one: what it leads to is replaced.
a4c::Result<void> WriteWhole(const std::string& path, std::string_view bytes);

}  // namespace a4c_cli
