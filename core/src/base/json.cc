#include "a4c/json.h"

#include <algorithm>

#include "base/rapidjson.h"

namespace a4c {
namespace {

constexpr size_t kFirstMembers = 8;
constexpr size_t kFirstTextBytes = 1024;  // most records; more are grown to

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
  Object& members = std::get<Object>(value_);
  if (members.capacity() == 0) members.reserve(kFirstMembers);
  members.emplace_back(std::move(name), std::move(value));
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

}  // namespace a4c
