#include "a4c/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "a4c/nearest.h"

namespace a4c {

// Fills a Config, value by value; each Take answers what is wrong, or nothing.
class ConfigReader {
 public:
  std::string Take(const ConfigKey& key, const ConfigValue& value);
  Config Done() { return std::move(config_); }

 private:
  std::string TakeList(const ConfigKey& key, const ConfigValue& value);
  std::string TakeDouble(const ConfigKey& key, const ConfigValue& value);

  Config config_;
};

namespace {

struct Suffix {
  std::string_view text;
  int64_t factor;
};
constexpr std::array<Suffix, 5> kDurations = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Suffix, 5> kBytes = {
    {{"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40}, {"", 1}}};

std::optional<int64_t> Whole(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

template <size_t N>
std::optional<int64_t> WithSuffix(std::string_view text, const std::array<Suffix, N>& suffixes) {
  const size_t digits = text.find_first_not_of("0123456789");
  const std::string_view unit = digits == std::string_view::npos ? "" : text.substr(digits);
  const auto suffix = std::ranges::find(suffixes, unit, &Suffix::text);
  const auto number = Whole(text.substr(0, digits));
  int64_t product = 0;
  if (suffix == suffixes.end() || !number ||
      __builtin_mul_overflow(*number, suffix->factor, &product)) {
    return std::nullopt;
  }
  return product;
}

std::optional<int64_t> LongOf(ConfigType type, std::string_view text) {
  if (type == ConfigType::kDurationMs) return text == "0" ? 0 : WithSuffix(text, kDurations);
  if (type == ConfigType::kBytes) return WithSuffix(text, kBytes);
  if (type == ConfigType::kBool) {
    if (text == "true") return 1;
    if (text == "false") return 0;
    return std::nullopt;
  }
  return Whole(text);
}

std::string_view Expected(ConfigType type) {
  switch (type) {
    case ConfigType::kString:
      return "a string";
    case ConfigType::kLong:
      return "a whole number";
    case ConfigType::kDouble:
      return "a number";
    case ConfigType::kBool:
      return "true or false";
    case ConfigType::kDurationMs:
      return "a duration such as 250ms, 10s, 5m, 24h, 7d";
    case ConfigType::kBytes:
      return "a size such as 512, 64KiB, 16MiB, 2GiB";
    case ConfigType::kStringList:
      return "a list of strings";
    case ConfigType::kTree:
      return "a map or list";
  }
  return "a value";
}

// Looks up what the schema asks for, and what it does not know.
class Checker {
 public:
  Checker(const ConfigValue& value, std::span<const ConfigKey> keys) : value_(value), keys_(keys) {}

  std::string UnknownKeys() const {
    std::string faults;
    for (const auto& [name, member] : value_.map) {
      if (std::ranges::any_of(keys_, [&](const ConfigKey& key) { return name == key.name; })) {
        continue;
      }
      faults += member.Where() + ": unknown key";
      const std::string nearest = NearestKey(name);
      if (!nearest.empty()) faults += "; did you mean \"" + nearest + "\"?";
      faults += "\n";
    }
    return faults;
  }

  ConfigValue Find(const ConfigKey& key) const {
    const auto found = value_.map.find(key.name);
    if (found != value_.map.end() && found->second.shape != ConfigValue::Shape::kAbsent) {
      return found->second;
    }
    return {};
  }

  std::string Missing(const ConfigKey& key) const {
    return value_.Where() + ": \"" + key.name + "\" is required (" + key.help + ")\n";
  }

 private:
  std::string NearestKey(std::string_view name) const {
    std::vector<std::string> names;
    for (const ConfigKey& key : keys_) names.emplace_back(key.name);
    return Nearest(name, names);
  }

  const ConfigValue& value_;
  std::span<const ConfigKey> keys_;
};

std::string WrongValue(const ConfigKey& key, const ConfigValue& value) {
  std::string shown = key.secret ? "***" : value.scalar;
  if (value.shape != ConfigValue::Shape::kScalar) shown = "a list or map";
  return value.Where() + ": is " + std::string(Expected(key.type)) + ", not \"" + shown + "\"\n";
}

std::string OutOfRange(const ConfigKey& key, const ConfigValue& value) {
  return value.Where() + ": " + value.scalar + " is outside " + std::to_string(key.min) + " to " +
         std::to_string(key.max) + "\n";
}

template <typename Map>
const auto& At(const Map& map, std::string_view key) {
  const auto found = map.find(key);
  if (found == map.end()) {
    std::fprintf(stderr, "a4c: config key \"%.*s\" is not in the schema\n",
                 static_cast<int>(key.size()), key.data());
    std::abort();
  }
  return found->second;
}

}  // namespace

ConfigValue ConfigValue::Scalar(std::string text) {
  ConfigValue value;
  value.shape = Shape::kScalar;
  value.scalar = std::move(text);
  return value;
}

ConfigValue ConfigValue::Map(std::map<std::string, ConfigValue, std::less<>> members) {
  ConfigValue value;
  value.shape = Shape::kMap;
  value.map = std::move(members);
  return value;
}

std::string ConfigValue::Where() const {
  std::string where = file;
  if (line > 0) where += ":" + std::to_string(line);
  if (!where.empty() && !path.empty()) where += ": ";
  where += path;
  return where.empty() ? "config" : where;
}

const std::string& Config::String(std::string_view key) const {
  return At(texts_, key).at(0);
}
int64_t Config::Long(std::string_view key) const {
  return At(longs_, key);
}
double Config::Double(std::string_view key) const {
  return At(doubles_, key);
}
bool Config::Bool(std::string_view key) const {
  return At(longs_, key) != 0;
}
const std::vector<std::string>& Config::StringList(std::string_view key) const {
  return At(texts_, key);
}
const ConfigValue& Config::Tree(std::string_view key) const {
  return At(trees_, key);
}

std::string ConfigReader::Take(const ConfigKey& key, const ConfigValue& value) {
  using Shape = ConfigValue::Shape;
  if (key.type == ConfigType::kTree) {
    config_.trees_[key.name] = value;
    return {};
  }
  if (key.type == ConfigType::kStringList) return TakeList(key, value);
  if (value.shape != Shape::kScalar) return WrongValue(key, value);
  if (key.type == ConfigType::kString) {
    config_.texts_[key.name] = {value.scalar};
    return {};
  }
  if (key.type == ConfigType::kDouble) return TakeDouble(key, value);
  const auto number = LongOf(key.type, value.scalar);
  if (!number) return WrongValue(key, value);
  if (*number < key.min || *number > key.max) return OutOfRange(key, value);
  config_.longs_[key.name] = *number;
  return {};
}

std::string ConfigReader::TakeList(const ConfigKey& key, const ConfigValue& value) {
  std::vector<std::string>& texts = config_.texts_[key.name];
  if (value.shape == ConfigValue::Shape::kScalar && value.scalar.empty()) return {};
  if (value.shape != ConfigValue::Shape::kList) return WrongValue(key, value);
  for (const ConfigValue& item : value.list) {
    if (item.shape != ConfigValue::Shape::kScalar) return WrongValue(key, item);
    texts.push_back(item.scalar);
  }
  return {};
}

std::string ConfigReader::TakeDouble(const ConfigKey& key, const ConfigValue& value) {
  double number = 0;
  const char* end = value.scalar.data() + value.scalar.size();
  const auto [at, error] = std::from_chars(value.scalar.data(), end, number);
  if (error != std::errc() || at != end) return WrongValue(key, value);
  config_.doubles_[key.name] = number;
  return {};
}

Result<Config> CheckConfig(const ConfigValue& value, std::span<const ConfigKey> keys) {
  if (value.shape == ConfigValue::Shape::kScalar || value.shape == ConfigValue::Shape::kList) {
    return Error(Code::kInvalid, value.Where() + ": is a map of settings");
  }
  const Checker checker(value, keys);
  ConfigReader reader;
  std::string faults = checker.UnknownKeys();
  for (const ConfigKey& key : keys) {
    ConfigValue member = checker.Find(key);
    if (member.shape == ConfigValue::Shape::kAbsent) {
      if (key.fallback == nullptr) {
        faults += checker.Missing(key);
        continue;
      }
      member = key.type == ConfigType::kTree ? ConfigValue{} : ConfigValue::Scalar(key.fallback);
    }
    faults += reader.Take(key, member);
  }
  if (faults.empty()) return reader.Done();
  faults.pop_back();
  return Error(Code::kInvalid, faults);
}

}  // namespace a4c
