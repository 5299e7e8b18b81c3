// The lock in a unit's directory that its supervisor holds as long as it lives.
#pragma once

#include <fcntl.h>

namespace a4c::local {

// A lock of the whole file that belongs to the open file, so that the supervisor inherits it.
struct flock WholeFile(short type);

// Whether a supervisor holds the lock of a unit. Asks without taking it, so that nobody is kept
// from it.
bool IsSupervised(int unit_directory);

}  // namespace a4c::local
