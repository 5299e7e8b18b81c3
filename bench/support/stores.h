// The store that a benchmark writes to: of store-postgres, or in this process's memory.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "a4c/memory.h"
#include "a4c/plugin_host.h"
#include "bench/support/runtime.h"

namespace a4c::bench {

// One store for all instances, or to each its own sessions, in a schema of the run's own.
class Stores {
 public:
  explicit Stores(std::string dsn) : dsn_(std::move(dsn)), plugins_(TheRuntime(), {}) {}
  ~Stores() {
    stores_.clear();
    if (dsn_ == "memory") return;
    const std::string drop =
        "psql -X -q '" + dsn_ + "' -c 'DROP SCHEMA " + schema_ + " CASCADE' 2>/dev/null";
    if (std::system(drop.c_str()) != 0) Die("the schema could not be dropped");
  }
  Stores(const Stores&) = delete;
  Stores& operator=(const Stores&) = delete;

  Store& Next() {
    if (dsn_ != "memory") {
      stores_.push_back(OrDie(plugins_.MakeStore(
          A4C_STORE_POSTGRES, ConfigValue::Map({{"dsn", ConfigValue::Scalar(dsn_)},
                                                {"schema", ConfigValue::Scalar(schema_)}}))));
    } else if (stores_.empty()) {
      stores_.push_back(NewMemoryStore(TheRuntime()));
    }
    return *stores_.back();
  }

 private:
  const std::string dsn_;
  const std::string schema_ = "a4c_bench_" + std::to_string(TheRuntime().random.Next());
  PluginHost plugins_;
  std::vector<std::unique_ptr<Store>> stores_;
};

}  // namespace a4c::bench
