// What can be set about the plugin: one struct, and the config keys that it is read from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "a4c/config.h"
#include "a4c/result.h"

namespace a4c::search_postgres {

inline constexpr ConfigKey kKeys[] = {
    {"dsn", ConfigType::kString, nullptr,
     "libpq connection string or URI; may name several hosts, of which the primary is taken", true},
    {"password", ConfigType::kString, "", "its password; empty: from dsn, PGPASSFILE or none",
     true},
    {"schema", ConfigType::kString, "a4c_search", "the schema that holds the tables"},
    {"sessions_max", ConfigType::kLong, "8", "connections at once; further calls wait", false, 1,
     1000},
    {"connect_timeout", ConfigType::kDurationMs, "2s", "to open a connection", false, 1, 60'000},
    {"statement_timeout", ConfigType::kDurationMs, "30s",
     "of one statement, if the call allows as long", false, 1},
    {"commit_documents_max", ConfigType::kLong, "500", "documents of one Bulk that share a commit",
     false, 1, 10'000},
    {"commit_bytes_max", ConfigType::kBytes, "16MiB",
     "bytes of their bodies, past which a commit takes no more", false, 1024, 1 << 30},
    {"row_security", ConfigType::kBool, "false",
     "the server shows a search the documents of its scopes alone; needs background_dsn"},
    {"background_dsn", ConfigType::kString, "",
     "with row_security: connection string of the role that owns the tables, for migrations, for "
     "what is written and for what works over all scopes",
     true},
};

struct Options {
  std::vector<std::string> conninfos;  // one a server, of which one is primary; with password
  // Row-level security: `conninfos` connect as `user`, who sees what is in the scopes of a search,
  // and these as the owner of the tables, for all else.
  bool row_security = false;
  std::string user = {};
  std::vector<std::string> background_conninfos = {};
  std::string schema;
  int64_t sessions_max = 8;
  int64_t connect_timeout_ms = 2000;
  int64_t statement_timeout_ms = 30'000;
  int64_t commit_documents_max = 500;
  int64_t commit_bytes_max = 16 << 20;
};

// kInvalid: a dsn that libpq cannot read, no name for a schema, row_security without both roles.
Result<Options> ReadOptions(const Config& config);

}  // namespace a4c::search_postgres
