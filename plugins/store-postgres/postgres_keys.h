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
     "servers for scans that may be a little old, the primary among them is passed over; none: the "
     "primary"},
    {"replica_staleness_max", ConfigType::kDurationMs, "5s",
     "how old a replica's answer may be; past it the primary is read", false, 100},
    {"schema", ConfigType::kString, "a4c", "the schema that holds the tables"},
    {"sessions_max", ConfigType::kLong, "8", "connections at once; calls past it wait for one",
     false, 2, 1000},
    {"connect_timeout", ConfigType::kDurationMs, "2s", "per host", false, 1000, 60'000},
    {"statement_timeout", ConfigType::kDurationMs, "10s", "per statement, never a commit", false,
     1},
    {"lock_timeout", ConfigType::kDurationMs, "5s", "wait for a row that another holds", false, 1},
    {"commit_timeout", ConfigType::kDurationMs, "10s",
     "after which a commit that was not answered is unknown; past it without a standby writes are "
     "refused at once",
     false, 1000},
    {"durability", ConfigType::kString, "replicated",
     "replicated: a primary without a synchronous standby is refused; single_server: accepted"},
    {"row_security", ConfigType::kBool, "false",
     "the server shows a transaction the rows of its scopes alone; needs background_dsn"},
    {"background_dsn", ConfigType::kString, "",
     "with row_security: connection string of the role that owns the tables, for migrations and "
     "for what works over all scopes",
     true},
};

}  // namespace a4c::postgres
