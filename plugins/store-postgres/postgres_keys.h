// The config keys of the plugin. plugin.cc offers them, postgres_options.cc reads them.
#pragma once

#include "a4c/config.h"

namespace a4c::postgres {

inline constexpr ConfigKey kKeys[] = {
    {"dsn", ConfigType::kString, "",
     "libpq connection string or URI; takes the place of hosts, port, database, user, sslmode",
     true},
    {"hosts", ConfigType::kStringList, "", "host, host:port or socket directory, every server"},
    {"port", ConfigType::kLong, "5432", "port of hosts that name none", false, 1, 65535},
    {"database", ConfigType::kString, "a4c", "the database"},
    {"user", ConfigType::kString, "a4c", "the user"},
    {"password", ConfigType::kString, "", "its password; empty: from PGPASSFILE or none", true},
    {"sslmode", ConfigType::kString, "prefer", "as libpq: disable, prefer, require, verify-full"},
    {"replica_hosts", ConfigType::kStringList, "",
     "servers for scans that may be a little old; none: the primary"},
    {"schema", ConfigType::kString, "a4c", "the schema that holds the tables"},
    {"sessions_max", ConfigType::kLong, "8", "connections at once", false, 2, 1000},
    {"flushers", ConfigType::kLong, "2", "commits in flight at once", false, 1, 16},
    {"group_batches_max", ConfigType::kLong, "256", "batches that share a commit", false, 1,
     10'000},
    {"group_bytes_max", ConfigType::kBytes, "16MiB", "bytes that share a commit", false, 1},
    {"queue_batches_max", ConfigType::kLong, "20000", "batches that wait for a commit", false, 1},
    {"queue_bytes_max", ConfigType::kBytes, "256MiB", "bytes that wait for a commit", false, 1},
    {"connect_timeout", ConfigType::kDurationMs, "2s", "per host", false, 1000, 60'000},
    {"statement_timeout", ConfigType::kDurationMs, "10s", "per statement, never a commit", false,
     1},
    {"lock_timeout", ConfigType::kDurationMs, "5s", "wait for a row that another holds", false, 1},
    {"commit_timeout", ConfigType::kDurationMs, "30s",
     "after which a commit that was not answered is unknown", false, 1},
};

}  // namespace a4c::postgres
