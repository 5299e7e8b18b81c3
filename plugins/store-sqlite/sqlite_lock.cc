#include "sqlite_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace a4c::sqlite {
namespace {

Error Refused(const std::string& path, int error) {
  return Error(error == EACCES ? Code::kDenied : Code::kUnavailable,
               "opening " + path + ": " + std::strerror(error),
               "does the directory exist, and may we write there?");
}

Error InUse(int file, const std::string& database) {
  char holder[24] = {};
  const ssize_t size = pread(file, holder, sizeof(holder) - 1, 0);
  const std::string pid = size > 0 ? std::string(holder, static_cast<size_t>(size)) : "unknown";
  const bool ours = pid == std::to_string(getpid());
  return Error(Code::kUnavailable,
               database + " is in use by process " + pid + (ours ? ", which is this one" : ""),
               "one process holds an SQLite store; several need store-postgres");
}

}  // namespace

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FileLock::~FileLock() {
  if (file_ >= 0) close(file_);
}

Result<FileLock> FileLock::Take(const std::string& database) {
  const std::string path = database + ".lock";
  FileLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.file_ < 0) return Refused(path, errno);
  if (flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? InUse(lock.file_, database) : Refused(path, errno);
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(lock.file_, 0) != 0 ||
      pwrite(lock.file_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return Refused(path, errno);
  }
  // SQLite would make the file readable by all, and -wal and -shm after it.
  const int file = open(database.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return Refused(database, errno);
  close(file);
  return lock;
}

}  // namespace a4c::sqlite
