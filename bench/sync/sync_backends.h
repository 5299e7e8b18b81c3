// The store and the index between which benchmarks of the sync sync.
#pragma once

#include <memory>
#include <string>

#include "a4c/memory.h"
#include "a4c/plugin_host.h"
#include "bench/support/runtime.h"

namespace a4c::bench {

inline Call Within(int64_t timeout_ms) {
  return Call::Within(TheRuntime().clock, timeout_ms);
}

struct Backends {
  std::unique_ptr<PluginHost> plugins =
      std::make_unique<PluginHost>(TheRuntime(), PluginHostOptions{.directories = {}});
  std::unique_ptr<Store> store = {};
  std::unique_ptr<SearchIndex> index = {};
  std::string url = {};  // of the search server; empty: the index is in memory
};

inline Backends InMemory() {
  Backends made;
  made.store = NewMemoryStore(TheRuntime());
  made.index = NewMemorySearchIndex(TheRuntime());
  return made;
}

// name_of_urls: A4C_TEST_ELASTICSEARCH_URLS or A4C_TEST_OPENSEARCH_URLS.
inline Backends OnServers(const char* name_of_urls) {
  Backends made;
  const std::string urls = FromEnvironment(name_of_urls);
  made.url = urls.substr(0, urls.find(','));
#ifdef A4C_STORE_POSTGRES
  made.store = OrDie(made.plugins->MakeStore(
      A4C_STORE_POSTGRES,
      ConfigValue::Map({{"dsn", ConfigValue::Scalar(FromEnvironment("A4C_TEST_POSTGRES_DSN"))}})));
#else
  Die("store-postgres is not built");
#endif
  const ConfigValue list{.shape = ConfigValue::Shape::kList, .list = {ConfigValue::Scalar(urls)}};
  made.index =
      OrDie(made.plugins->MakeSearchIndex(A4C_SEARCH_ELASTIC, ConfigValue::Map({{"urls", list}})));
  return made;
}

}  // namespace a4c::bench
