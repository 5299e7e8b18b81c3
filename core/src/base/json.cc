#include "a4c/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include "base/rapidjson.h"

namespace a4c {
namespace {

constexpr size_t kFewMembers = 24;
constexpr size_t kFirstTextBytes = 1024;  // most records; more are grown to

// Builds the tree from the reader's events. Numbers arrive as text: see the header.
class Builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
 public:
  explicit Builder(int depth_max) : depth_max_(depth_max) {}

  bool Null() { return Add(nullptr); }
  bool Bool(bool value) { return Add(value); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    return Number(std::string_view(text, length));
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return Add(std::string(text, length));
  }
  bool StartObject() { return Open(Json(Json::Object{})); }
  bool StartArray() { return Open(Json(Json::Array{})); }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    Level& level = open_.back();
    level.name.assign(text, length);
    return level.IsNew(level.name) || Fail("duplicate key \"" + level.name + "\"");
  }
  bool EndObject(rapidjson::SizeType) { return Close(); }
  bool EndArray(rapidjson::SizeType) { return Close(); }

  Json Take() { return std::move(root_); }
  const std::string& failure() const { return failure_; }

 private:
  struct Level {
    Json value;
    std::string name = {};
    std::unordered_set<std::string> names = {};  // of more than a few members

    // Few names are compared sooner than hashed and copied.
    bool IsNew(const std::string& candidate) {
      const Json::Object& members = value.Members();
      if (members.size() < kFewMembers) {
        return std::ranges::none_of(members, [&](const auto& m) { return m.first == candidate; });
      }
      if (names.empty()) {
        for (const auto& [taken, ignored] : members) names.insert(taken);
      }
      return names.insert(candidate).second;
    }
  };

  bool Fail(std::string why) {
    failure_ = std::move(why);
    return false;
  }
  bool Open(Json value) {
    if (static_cast<int>(open_.size()) >= depth_max_) {
      return Fail("nested deeper than " + std::to_string(depth_max_));
    }
    open_.push_back(Level{std::move(value)});
    return true;
  }
  bool Close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return Add(std::move(value));
  }
  bool Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.IsArray()) {
      open_.back().value.Append(std::move(value));
    } else {
      open_.back().value.AppendMember(std::move(open_.back().name), std::move(value));
    }
    return true;
  }
  bool Number(std::string_view text) {
    const char* end = text.data() + text.size();
    int64_t whole = 0;
    if (auto [at, error] = std::from_chars(text.data(), end, whole);
        error == std::errc() && at == end) {
      return Add(whole);
    }
    double real = 0;
    auto [at, error] = std::from_chars(text.data(), end, real);
    if (error == std::errc::result_out_of_range && IsTiny(text)) return Add(0.0);
    if (error != std::errc() || at != end || !std::isfinite(real)) {
      return Fail("number out of range");
    }
    return Add(real);
  }
  // Underflow is a zero, overflow is an error; from_chars reports both alike.
  static bool IsTiny(std::string_view text) {
    const size_t exponent = text.find_first_of("eE");
    return exponent != std::string_view::npos && text.substr(exponent + 1).starts_with('-');
  }

  int depth_max_;
  std::vector<Level> open_;
  Json root_;
  std::string failure_;
};

Error At(size_t offset, std::string_view why) {
  return Error(Code::kInvalid, "offset " + std::to_string(offset) + ": " + std::string(why));
}

template <typename Writer>
void Write(const Json& json, Writer& writer);

template <typename Writer>
void WriteObject(const Json& json, Writer& writer) {
  writer.StartObject();
  for (const auto& [name, value] : json.Members()) {
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    Write(value, writer);
  }
  writer.EndObject();
}

template <typename Writer>
void Write(const Json& json, Writer& writer) {
  if (json.IsNull()) {
    writer.Null();
  } else if (json.IsBool()) {
    writer.Bool(json.Bool());
  } else if (json.IsInt()) {
    writer.Int64(json.Int());
  } else if (json.IsNumber()) {
    writer.Double(json.Number());
  } else if (json.IsText()) {
    writer.String(json.Text().data(), static_cast<rapidjson::SizeType>(json.Text().size()));
  } else if (json.IsArray()) {
    writer.StartArray();
    for (const Json& item : json.Items()) Write(item, writer);
    writer.EndArray();
  } else {
    WriteObject(json, writer);
  }
}

const Json kNull;

}  // namespace

Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;

Json::~Json() {
  if (!IsArray() && !IsObject()) return;
  // Moves every nested container into one flat list first, so that destruction never recurses deep.
  std::vector<Json> flat;
  const auto take = [&flat](Json& from) {
    if (auto* array = std::get_if<Array>(&from.value_)) {
      for (Json& item : *array) {
        if (item.IsArray() || item.IsObject()) flat.push_back(std::move(item));
      }
      array->clear();
    } else if (auto* object = std::get_if<Object>(&from.value_)) {
      for (auto& [name, item] : *object) {
        if (item.IsArray() || item.IsObject()) flat.push_back(std::move(item));
      }
      object->clear();
    }
  };
  take(*this);
  while (!flat.empty()) {
    Json next = std::move(flat.back());
    flat.pop_back();
    take(next);
  }
}

bool Json::Bool(bool fallback) const {
  const bool* value = std::get_if<bool>(&value_);
  return value != nullptr ? *value : fallback;
}

int64_t Json::Int(int64_t fallback) const {
  const int64_t* value = std::get_if<int64_t>(&value_);
  return value != nullptr ? *value : fallback;
}

double Json::Number(double fallback) const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  return IsInt() ? static_cast<double>(Int()) : fallback;
}

const std::string& Json::Text() const {
  static const std::string kEmpty;
  const std::string* value = std::get_if<std::string>(&value_);
  return value != nullptr ? *value : kEmpty;
}

const Json::Array& Json::Items() const {
  static const Array kEmpty;
  const Array* value = std::get_if<Array>(&value_);
  return value != nullptr ? *value : kEmpty;
}

const Json::Object& Json::Members() const {
  static const Object kEmpty;
  const Object* value = std::get_if<Object>(&value_);
  return value != nullptr ? *value : kEmpty;
}

const Json* Json::Find(std::string_view name) const {
  for (const auto& [key, value] : Members()) {
    if (key == name) return &value;
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view name) const {
  const Json* found = Find(name);
  return found != nullptr ? *found : kNull;
}

Json& Json::Set(std::string_view name, Json value) {
  if (IsNull()) value_ = Object{};
  for (auto& [key, old] : std::get<Object>(value_)) {
    if (key == name) {
      old = std::move(value);
      return *this;
    }
  }
  return AppendMember(std::string(name), std::move(value));
}

Json& Json::AppendMember(std::string name, Json value) {
  std::get<Object>(value_).emplace_back(std::move(name), std::move(value));
  return *this;
}

Json& Json::Append(Json value) {
  if (IsNull()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::ToString() const {
  rapidjson::StringBuffer buffer(nullptr, kFirstTextBytes);
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  Write(*this, writer);
  return std::string(buffer.GetString(), buffer.GetSize());
}

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return At(limits.bytes_max, "longer than " + std::to_string(limits.bytes_max) + " bytes");
  }
  // RapidJSON takes a NUL for the end and would not look at what follows.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) return At(nul, "a NUL");
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseValidateEncodingFlag;
  Builder builder(limits.depth_max);
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::Reader reader;
  const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, builder);
  if (!builder.failure().empty()) return At(parsed.Offset(), builder.failure());
  if (parsed.IsError()) return At(parsed.Offset(), rapidjson::GetParseError_En(parsed.Code()));
  return builder.Take();
}

bool IsUtf8(std::string_view text) {
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const int length = lead < 0x80       ? 1
                       : lead >> 5 == 6  ? 2
                       : lead >> 4 == 14 ? 3
                       : lead >> 3 == 30 ? 4
                                         : 0;
    if (length == 0 || i + static_cast<size_t>(length) > text.size()) return false;
    uint32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
    for (int k = 1; k < length; ++k) {
      const auto next = static_cast<uint8_t>(text[i + static_cast<size_t>(k)]);
      if (next >> 6 != 2) return false;
      point = point << 6 | (next & 0x3Fu);
    }
    if (point < kSmallest[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
      return false;
    }
    i += static_cast<size_t>(length);
  }
  return true;
}

}  // namespace a4c
