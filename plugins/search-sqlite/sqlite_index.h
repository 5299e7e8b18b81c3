// The index over one SQLite file: one connection writes, some read. Several instances, in one
// process or more, may hold the same file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "a4c/search_index.h"

namespace a4c::search_sqlite {

struct Options {
  std::string path;
  int64_t readers = 4;
  int64_t cache_bytes = 16 << 20;
  int64_t busy_timeout_ms = 5000;
  int64_t commit_documents_max = 1000;
  int64_t commit_bytes_max = 16 << 20;
};

// kUnavailable, kDenied: the file cannot be opened. kInvalid: it is not a database of ours.
Result<std::unique_ptr<SearchIndex>> OpenSqliteIndex(const Options& options,
                                                     const Runtime& runtime);

}  // namespace a4c::search_sqlite
