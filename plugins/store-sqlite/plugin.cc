#include "a4c/plugin.h"

#include "sqlite_store.h"

using a4c::ConfigType;

static constexpr a4c::ConfigKey kKeys[] = {
    {.name = "path",
     .type = ConfigType::kString,
     .fallback = nullptr,
     .help = "the database file; its directory must exist; -wal, -shm and .lock stand beside it"},
    {.name = "readers",
     .type = ConfigType::kLong,
     .fallback = "4",
     .help = "connections that read at the same time",
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
     .help = "how long a statement waits for a lock that another program holds on the file",
     .min = 0,
     .max = 60'000}};

static constexpr a4c::AbsentCapability kAbsent[] = {
    {"shared_instances", "one instance holds the file: a second one is refused"}};

static a4c::Result<std::unique_ptr<a4c::Store>> Make(const a4c::Config& config,
                                                     const a4c::Runtime& runtime) {
  return a4c::sqlite::OpenSqliteStore(
      {.path = config.String("path"),
       .readers = static_cast<int>(config.Long("readers")),
       .cache_bytes = config.Long("cache_bytes"),
       .busy_timeout_ms = static_cast<int>(config.Long("busy_timeout_ms"))},
      runtime);
}

A4C_PLUGIN(Store, "store-sqlite", "keeps records in one SQLite file, no server needed", kKeys,
           kAbsent, Make);
