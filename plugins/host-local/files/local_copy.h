// Copies a tree of files, never following a link.
#pragma once

#include <cstdint>
#include <functional>

#include "a4c/result.h"

namespace a4c::local {

// What is below one directory becomes what is below another, with owners, modes, times and links,
// of any kind but sockets and devices; how many bytes of files. What is there by the same name is
// replaced. go_on is asked now and then; false ends it with kUnknownOutcome. kInvalid: it is nested
// deeper than 64 directories.
Result<int64_t> CopyTree(int from, int to, const std::function<bool()>& go_on);

}  // namespace a4c::local
