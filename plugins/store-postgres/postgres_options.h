// What can be set about the plugin: one struct, read from the config keys of postgres_keys.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "a4c/config.h"
#include "a4c/result.h"

namespace a4c::postgres {

struct Options {
  std::string conninfo;          // to the primary; holds the password
  std::string replica_conninfo;  // empty: Scan with replica_ok reads the primary
  std::string schema;
  int64_t sessions_max = 8;
  int64_t flushers = 2;
  int64_t group_batches_max = 256;
  int64_t group_bytes_max = 16 << 20;
  int64_t queue_batches_max = 20'000;
  int64_t queue_bytes_max = 256 << 20;
  int64_t connect_timeout_ms = 2000;
  int64_t statement_timeout_ms = 10'000;
  int64_t lock_timeout_ms = 5000;
  int64_t commit_timeout_ms = 30'000;
};

// kInvalid: a dsn that libpq cannot read, or a value that holds a space, on which Poco splits.
Result<Options> ReadOptions(const Config& config);

}  // namespace a4c::postgres
