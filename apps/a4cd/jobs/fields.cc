#include "apps/a4cd/jobs/fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "a4c/nearest.h"

namespace a4cd {
namespace {

using a4c::Json;

// MAX_ARG_STRLEN, without the NUL at its end.
constexpr size_t kArgumentBytesMax = (128 << 10) - 1;

struct Unit {
  std::string_view name;
  int64_t factor;
};
constexpr std::array<Unit, 5> kTimes = {
    {{"s", 1000}, {"ms", 1}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 5> kSizes = {
    {{"", 1}, {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40}}};

// A number with a unit; the first unit is the one of a bare number.
std::optional<int64_t> Measure(const Json& value, const std::array<Unit, 5>& units) {
  int64_t number = value.Int();
  std::string_view unit = units[0].name;
  if (value.IsText()) {
    const std::string& text = value.Text();
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    unit = std::string_view(at, static_cast<size_t>(text.data() + text.size() - at));
  } else if (!value.IsInt()) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(units, unit, &Unit::name);
  if (found == units.end() || number < 0) return std::nullopt;
  int64_t product = 0;
  if (__builtin_mul_overflow(number, found->factor, &product)) return std::nullopt;
  return product;
}

bool HasNul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

}  // namespace

std::string Pointer(std::string_view parent, std::string_view name) {
  std::string pointer = std::string(parent) + "/";
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

FieldReader::FieldReader(const Json& object, std::string pointer, Faults& faults)
    : object_(object), pointer_(std::move(pointer)), faults_(faults) {
  if (!object_.IsObject()) faults_.push_back({pointer_, "is an object"});
}

const Json& FieldReader::Any(std::string_view name) {
  known_.emplace(name);
  return object_[name];
}

void FieldReader::Add(std::string_view name, std::string detail, std::string hint) {
  faults_.push_back({Pointer(pointer_, name), std::move(detail), std::move(hint)});
}

std::string FieldReader::Text(std::string_view name, const TextRule& rule) {
  const Json& value = Any(name);
  if (value.IsNull()) {
    if (rule.required) Add(name, "is required");
    return {};
  }
  if (!value.IsText()) {
    Add(name, "is a string");
    return {};
  }
  if (value.Text().size() > rule.bytes_max) {
    Add(name, "is longer than " + std::to_string(rule.bytes_max) + " bytes");
    return {};
  }
  if (HasNul(value.Text())) Add(name, "holds a NUL character");
  if (rule.required && value.Text().empty()) Add(name, "is empty");
  return value.Text();
}

int64_t FieldReader::Long(std::string_view name, const LongRule& rule) {
  const Json& value = Any(name);
  if (value.IsNull()) return rule.fallback;
  if (!value.IsInt() || value.Int() < rule.min || value.Int() > rule.max) {
    std::string range = " of at least " + std::to_string(rule.min);
    if (rule.max != INT64_MAX) {
      range = " from " + std::to_string(rule.min) + " to " + std::to_string(rule.max);
    }
    Add(name, "is a whole number" + range);
    return rule.fallback;
  }
  return value.Int();
}

int64_t FieldReader::DurationMs(std::string_view name) {
  const Json& value = Any(name);
  if (value.IsNull()) return 0;
  const auto duration = Measure(value, kTimes);
  if (!duration)
    Add(name, "is a duration", "write 90 (seconds), \"30s\", \"5m\", \"24h\" or \"7d\"");
  return duration.value_or(0);
}

int64_t FieldReader::Bytes(std::string_view name) {
  const Json& value = Any(name);
  if (value.IsNull()) return 0;
  const auto size = Measure(value, kSizes);
  if (!size) Add(name, "is a size", "write 1048576 (bytes), \"512MiB\" or \"20GiB\"");
  return size.value_or(0);
}

std::map<std::string, std::string> FieldReader::TextMap(std::string_view name, size_t count_max) {
  const Json& value = Any(name);
  std::map<std::string, std::string> map;
  if (value.IsNull()) return map;
  if (!value.IsObject()) Add(name, "is an object of strings");
  if (value.Members().size() > count_max) {
    Add(name, "has more than " + std::to_string(count_max) + " members");
    return map;
  }
  for (const auto& [key, member] : value.Members()) {
    const std::string pointer = Pointer(Pointer(pointer_, name), key);
    if (!member.IsText() || member.Text().size() > 4096) {
      faults_.push_back({pointer, "is a string of at most 4096 bytes"});
    } else if (key.empty() || key.size() > 128) {
      faults_.push_back({pointer, "has a name of 1 to 128 bytes"});
    } else if (HasNul(key) || HasNul(member.Text())) {
      faults_.push_back({pointer, "holds a NUL character"});
    } else {
      map.emplace(key, member.Text());
    }
  }
  return map;
}

std::vector<std::string> FieldReader::TextList(std::string_view name, const ListRule& rule) {
  const Json& value = Any(name);
  std::vector<std::string> list;
  if (value.IsNull()) return list;
  if (!value.IsArray()) Add(name, "is an array of strings");
  if (value.Items().size() > rule.count_max) {
    Add(name, "has more than " + std::to_string(rule.count_max) + " items");
    return list;
  }
  for (const Json& item : value.Items()) {
    if (!item.IsText() || HasNul(item.Text())) {
      Add(name, "holds something that is no string");
      return list;
    }
    if (item.Text().size() > rule.bytes_max) {
      const std::string pointer = Pointer(Pointer(pointer_, name), std::to_string(list.size()));
      faults_.push_back(
          {pointer, "is longer than " + std::to_string(rule.bytes_max) + " bytes", rule.hint});
    }
    list.push_back(item.Text());
  }
  return list;
}

std::vector<std::string> FieldReader::Arguments(std::string_view name) {
  return TextList(name, {.bytes_max = kArgumentBytesMax,
                         .hint = "Linux takes no longer argument: put it into a file or give it "
                                 "as input"});
}

void FieldReader::RefuseOthers() {
  const std::vector<std::string> known(known_.begin(), known_.end());
  for (const auto& [name, member] : object_.Members()) {
    if (known_.contains(name)) continue;
    const std::string nearest = a4c::Nearest(name, known);
    Add(name, "is not known here", nearest.empty() ? "" : "did you mean \"" + nearest + "\"?");
    faults_.back().is_unknown = true;
  }
}

}  // namespace a4cd
