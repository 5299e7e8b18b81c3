#include "sqlite_fault_files.h"

#include <sqlite3.h>

namespace a4c::sqlite {
namespace {

WalFaults faults;
sqlite3_vfs* real_vfs = nullptr;
const sqlite3_io_methods* real_methods = nullptr;
sqlite3_io_methods faulty_methods;

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const int code = faults.write_code;
  return code != SQLITE_OK ? code : real_methods->xWrite(file, bytes, size, offset);
}

int Sync(sqlite3_file* file, int flags) {
  const int code = faults.sync_code;
  return code != SQLITE_OK ? code : real_methods->xSync(file, flags);
}

// The file stays the real one; of its methods two are exchanged.
int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
  real_methods = file->pMethods;
  faulty_methods = *real_methods;
  faulty_methods.xWrite = Write;
  faulty_methods.xSync = Sync;
  file->pMethods = &faulty_methods;
  return code;
}

}  // namespace

WalFaults& InstallFaultFiles() {
  static sqlite3_vfs vfs;
  if (real_vfs == nullptr) {
    real_vfs = sqlite3_vfs_find(nullptr);
    vfs = *real_vfs;
    vfs.zName = "a4c-faulty";
    vfs.pNext = nullptr;
    vfs.xOpen = Open;
    sqlite3_vfs_register(&vfs, 1);
  }
  faults.write_code = faults.sync_code = SQLITE_OK;
  return faults;
}

}  // namespace a4c::sqlite
