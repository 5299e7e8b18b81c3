// The store over one SQLite file: one connection writes, some read; concurrent Apply calls share
// commits. One instance holds a file, by a lock file beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "a4c/store.h"

namespace a4c::sqlite {

struct Options {
  std::string path;
  int readers = 4;
  int64_t cache_bytes = 16 << 20;
  int busy_timeout_ms = 5000;
};

// kUnavailable: the file cannot be opened, or another instance holds it (the message says which).
// kInvalid: it is not a database of ours.
Result<std::unique_ptr<Store>> OpenSqliteStore(const Options& options, const Runtime& runtime);

}  // namespace a4c::sqlite
