// ConfigValue: a tree of settings that knows where each came from, so that every complaint can name
// file, line and path. The application reads its format (a4cd: YAML) into it; core and plugins see
// only this. CheckConfig() holds a tree to a schema, and then reading it cannot fail.
//
//   static constexpr ConfigKey kKeys[] = {
//       {"path", ConfigType::kString, "a4c.db", "the database file"},
//       {"busy_timeout_ms", ConfigType::kLong, "5000", "how long a statement waits for a lock"}};
//   A4C_TRY(Config config, CheckConfig(value, kKeys));
//   Open(config.String("path"), config.Long("busy_timeout_ms"));
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/export.h"
#include "a4c/result.h"

namespace a4c {

struct ConfigValue {
  enum class Shape : uint8_t { kAbsent, kScalar, kList, kMap };
  Shape shape = Shape::kAbsent;
  std::string scalar = {};  // as written, after ${...} was replaced
  std::vector<ConfigValue> list = {};
  std::map<std::string, ConfigValue, std::less<>> map = {};
  std::string file = {};  // "a4cd.yaml", "environment A4C_STORE_PATH", "" for defaults
  int line = 0;
  std::string path = {};  // "store.config.hosts[2].address"

  A4C_API static ConfigValue Scalar(std::string text);
  A4C_API static ConfigValue Map(std::map<std::string, ConfigValue, std::less<>> members);
  // "a4cd.yaml:12: store.config.port"
  A4C_API std::string Where() const;
};

enum class ConfigType : uint8_t {
  kString,
  kLong,
  kDouble,
  kBool,
  kDurationMs,
  kBytes,
  kStringList,
  kTree
};

// One setting. Durations are written 250ms, 10s, 5m, 24h, 7d; bytes 512, 64KiB, 16MiB, 2GiB.
struct ConfigKey {
  const char* name;
  ConfigType type;
  const char*
      fallback;  // as it would be written; null: required; kTree and kStringList: "" is empty
  const char* help;
  bool secret = false;      // never logged, shown as ***
  int64_t min = INT64_MIN;  // kLong, kDurationMs, kBytes
  int64_t max = INT64_MAX;
};

// A checked config: every key of the schema has a value of its type. Asking for a key that is not
// in the schema is a bug and aborts.
class Config {
 public:
  A4C_API const std::string& String(std::string_view key) const;
  A4C_API int64_t Long(std::string_view key) const;  // also kDurationMs and kBytes
  A4C_API double Double(std::string_view key) const;
  A4C_API bool Bool(std::string_view key) const;
  A4C_API const std::vector<std::string>& StringList(std::string_view key) const;
  A4C_API const ConfigValue& Tree(std::string_view key) const;

 private:
  friend class ConfigReader;
  std::map<std::string, std::vector<std::string>, std::less<>> texts_;
  std::map<std::string, int64_t, std::less<>> longs_;
  std::map<std::string, double, std::less<>> doubles_;
  std::map<std::string, ConfigValue, std::less<>> trees_;
};

// kInvalid names every fault at once, one a line: file:line, path, what is wrong, and for an
// unknown key the nearest known one.
A4C_API Result<Config> CheckConfig(const ConfigValue& value, std::span<const ConfigKey> keys);

}  // namespace a4c
