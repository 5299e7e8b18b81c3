// Who could have changed a file: a plugin runs with all our rights, so nobody else may.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "a4c/result.h"

namespace a4c::plugin {

// What is wrong with a file (or a directory above it) for a process of user `us`, or nothing: it
// belongs to root or to us, and only its owner may write it. A directory in which only owners may
// rename (the sticky bit, /tmp) will do.
std::string FaultOf(const struct stat& status, uid_t us);

// kDenied: the file, or a directory above it, could be changed by others.
// `file` is absolute and has no symbolic links.
Result<void> CheckTrust(const std::filesystem::path& file);

}  // namespace a4c::plugin
