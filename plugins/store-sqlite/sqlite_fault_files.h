// Makes writes and syncs of write-ahead logs fail as a disk would. Before any connection is opened:
// InstallFaultFiles(); then set the codes.
#pragma once

#include <atomic>

namespace a4c::sqlite {

struct WalFaults {
  std::atomic<int> write_code{0};  // an SQLite result code that every write answers; 0: none
  std::atomic<int> sync_code{0};
};

WalFaults& InstallFaultFiles();

}  // namespace a4c::sqlite
