// One instance holds a database: a lock on <path>.lock, which the kernel drops when the process
// ends, however it ends.
#pragma once

#include <string>

#include "a4c/result.h"

namespace a4c::sqlite {

class FileLock {
 public:
  // Makes the database's file too if there is none, for its owner's eyes only.
  // kUnavailable: "<path> is in use by process 123".
  static Result<FileLock> Take(const std::string& database);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace a4c::sqlite
