#include "a4c/plugin.h"

#include "sqlite_index.h"

using a4c::ConfigType;

static constexpr a4c::ConfigKey kKeys[] = {
    {.name = "path",
     .type = ConfigType::kString,
     .fallback = nullptr,
     .help = "the index's file; its directory must exist; -wal and -shm stand beside it"},
    {.name = "readers",
     .type = ConfigType::kLong,
     .fallback = "4",
     .help = "connections that search at the same time; further searches wait for one",
     .min = 1,
     .max = 64},
    {.name = "cache_bytes",
     .type = ConfigType::kBytes,
     .fallback = "16MiB",
     .help = "page cache of each connection",
     .min = 1 << 20,
     .max = int64_t{4} << 30},
    {.name = "busy_timeout_ms",
     .type = ConfigType::kLong,
     .fallback = "5000",
     .help = "how long a write waits for another process that writes, within its call's deadline",
     .min = 0,
     .max = 60'000},
    {.name = "commit_documents_max",
     .type = ConfigType::kLong,
     .fallback = "1000",
     .help = "documents of one Bulk that share a commit",
     .min = 1,
     .max = 100'000},
    {.name = "commit_bytes_max",
     .type = ConfigType::kBytes,
     .fallback = "16MiB",
     .help = "bytes of their bodies, past which a commit takes no more",
     .min = 1 << 10,
     .max = 1 << 30}};

static a4c::Result<std::unique_ptr<a4c::SearchIndex>> Make(const a4c::Config& config,
                                                           const a4c::Runtime& runtime) {
  return a4c::search_sqlite::OpenSqliteIndex(
      {.path = config.String("path"),
       .readers = config.Long("readers"),
       .cache_bytes = config.Long("cache_bytes"),
       .busy_timeout_ms = config.Long("busy_timeout_ms"),
       .commit_documents_max = config.Long("commit_documents_max"),
       .commit_bytes_max = config.Long("commit_bytes_max")},
      runtime);
}

A4C_PLUGIN(SearchIndex, "search-sqlite", "searches in one SQLite file, no server needed", kKeys,
           a4c::kNothingAbsent, Make);
