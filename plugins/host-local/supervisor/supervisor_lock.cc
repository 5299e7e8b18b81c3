#include "supervisor/supervisor_lock.h"

#include <unistd.h>

namespace a4c::local {

struct flock WholeFile(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool IsSupervised(int unit_directory) {
  const int file = openat(unit_directory, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock = WholeFile(F_WRLCK);
  const bool held = fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close(file);
  return held;
}

}  // namespace a4c::local
