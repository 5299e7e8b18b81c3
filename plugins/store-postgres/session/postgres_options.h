// What can be set about the plugin: one struct, read from the config keys of postgres_keys.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "a4c/config.h"
#include "a4c/result.h"

namespace a4c::postgres {

// What an acknowledged commit survives.
enum class Durability : uint8_t {
  kReplicated,    // the loss of a server: a primary without a synchronous standby is refused
  kSingleServer,  // a restart of the one server
};

struct Options {
  std::vector<std::string> conninfos;  // one a server, of which one is primary; with password
  std::vector<std::string> replica_conninfos;  // none: Scan with replica_ok reads the primary
  Durability durability = Durability::kReplicated;
  // Row-level security: `conninfos` connect as `user`, who sees what is in a transaction's scopes,
  // and these as the owner of the tables, for Ensure and for scans over all scopes.
  bool row_security = false;
  std::string user;
  std::vector<std::string> background_conninfos;
  std::string schema;
  int64_t sessions_max = 8;
  int64_t connect_timeout_ms = 2000;
  int64_t statement_timeout_ms = 10'000;
  int64_t lock_timeout_ms = 5000;
  int64_t commit_timeout_ms = 10'000;
  int64_t replica_staleness_max_ms = 5000;
};

using Settings = std::map<std::string, std::string>;

// What a connection string or URI sets. kInvalid: libpq cannot read it.
Result<Settings> ParseDsn(const std::string& dsn);

// kInvalid: a dsn that libpq cannot read, or a value that holds a space, on which Poco splits.
Result<Options> ReadOptions(const Config& config);

}  // namespace a4c::postgres
