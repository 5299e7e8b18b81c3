// ElasticOptions: the plugin's config as plain data. plugin.cc says what each key means.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace a4c::elastic {

struct HttpOptions {
  std::vector<std::string> urls = {};
  std::string username = {};
  std::string password = {};
  std::string api_key = {};
  std::string ca_file = {};
  int64_t connections_max = 8;
  int64_t connect_timeout_ms = 2'000;
  int64_t request_timeout_ms = 30'000;
  int64_t response_bytes_max = 256 << 20;
};

struct IndexOptions {
  std::string prefix = {};
  std::map<std::string, std::string, std::less<>> names = {};  // by kind
  int64_t shards = 1;
  int64_t replicas = 1;
  int64_t refresh_interval_ms = 0;
  int64_t bulk_bytes_max = 5 << 20;
};

}  // namespace a4c::elastic
