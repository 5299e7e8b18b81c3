// The ABI tag of a plugin's file, read as bytes before the file is opened as a library: opening an
// old plugin can fail on an undefined symbol, and runs its static constructors.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/result.h"

namespace a4c::plugin {

// Every "A4C_ABI_TAG=..." in these bytes, each once, in order.
std::vector<std::string> FindTags(std::string_view bytes);

// Nothing, if the file holds a tag of ours. kInvalid names both sides; kNotFound: it cannot be
// read.
Result<void> CheckTag(const std::filesystem::path& file);

// Our tag of that kind ("Store"), or "" if there is no such kind.
std::string_view TagOf(std::string_view kind);

}  // namespace a4c::plugin
