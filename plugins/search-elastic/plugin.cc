#include "a4c/plugin.h"

#include <algorithm>
#include <sstream>

#include "elastic_index.h"

namespace {

using a4c::ConfigType;

constexpr a4c::ConfigKey kKeys[] = {
    {"urls", ConfigType::kStringList, nullptr,
     "the nodes: http(s)://host:port, several may stand in one entry with commas"},
    {"username", ConfigType::kString, "", "of basic authentication"},
    {"password", ConfigType::kString, "", "of basic authentication", true},
    {"api_key", ConfigType::kString, "", "instead of username and password: the encoded API key",
     true},
    {"ca_file", ConfigType::kString, "", "certificate authorities (PEM) beside the system's"},
    {"index_prefix", ConfigType::kString, "", "before the names of all indices"},
    {"index_names", ConfigType::kTree, "",
     "names by kind, such as photo: pictures; otherwise the kind's with an s"},
    {"shards", ConfigType::kLong, "1", "primary shards of a new index", false, 1, 1024},
    {"replicas", ConfigType::kLong, "1", "replicas of a new index", false, 0, 64},
    {"refresh_interval", ConfigType::kDurationMs, "0s", "of a new index; 0: only when a4c asks",
     false, 0},
    {"bulk_bytes_max", ConfigType::kBytes, "5MiB", "bytes of one bulk request", false, 1024,
     100 << 20},
    {"response_bytes_max", ConfigType::kBytes, "256MiB", "bytes of one answer", false, 1 << 20,
     2LL << 30},
    {"connections_max", ConfigType::kLong, "8", "requests under way at once", false, 1, 1024},
    {"connect_timeout", ConfigType::kDurationMs, "2s", "to open a connection", false, 1},
    {"request_timeout", ConfigType::kDurationMs, "30s",
     "for one answer, if the call allows as long", false, 1}};

std::vector<std::string> Urls(const a4c::Config& config) {
  std::vector<std::string> urls;
  for (const std::string& entry : config.StringList("urls")) {
    std::istringstream parts(entry);
    for (std::string url; std::getline(parts, url, ',');) urls.push_back(url);
  }
  return urls;
}

a4c::Result<std::string> CheckedName(const std::string& name, const std::string& key) {
  const bool fits =
      name.size() <= 100 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
      });
  const bool starts = name.empty() || (name[0] >= 'a' && name[0] <= 'z');
  if (fits && starts) return name;
  return a4c::Error(a4c::Code::kInvalid,
                    "search-elastic: " + key + ": \"" + name + "\" is no name of an index",
                    "lower-case letters first, then digits, _, - and . too");
}

a4c::Result<a4c::elastic::IndexOptions> IndexOptionsOf(const a4c::Config& config) {
  a4c::elastic::IndexOptions options{.shards = config.Long("shards"),
                                     .replicas = config.Long("replicas"),
                                     .refresh_interval_ms = config.Long("refresh_interval"),
                                     .bulk_bytes_max = config.Long("bulk_bytes_max")};
  A4C_TRY(options.prefix, CheckedName(config.String("index_prefix"), "index_prefix"));
  for (const auto& [kind, name] : config.Tree("index_names").map) {
    A4C_TRY(options.names[kind], CheckedName(name.scalar, "index_names." + kind));
  }
  return options;
}

a4c::Result<std::unique_ptr<a4c::SearchIndex>> Make(const a4c::Config& config,
                                                    const a4c::Runtime& runtime) {
  const a4c::elastic::HttpOptions http{.urls = Urls(config),
                                       .username = config.String("username"),
                                       .password = config.String("password"),
                                       .api_key = config.String("api_key"),
                                       .ca_file = config.String("ca_file"),
                                       .connections_max = config.Long("connections_max"),
                                       .connect_timeout_ms = config.Long("connect_timeout"),
                                       .request_timeout_ms = config.Long("request_timeout"),
                                       .response_bytes_max = config.Long("response_bytes_max")};
  A4C_TRY(a4c::elastic::IndexOptions index, IndexOptionsOf(config));
  A4C_TRY(std::unique_ptr<a4c::elastic::HttpPool> pool, a4c::elastic::NewHttpPool(http, runtime));
  return a4c::elastic::NewElasticIndex(std::move(pool), index);
}

}  // namespace

A4C_PLUGIN(SearchIndex, "search-elastic", "searches in Elasticsearch 8 or OpenSearch 2", kKeys,
           a4c::kNothingAbsent, Make);
