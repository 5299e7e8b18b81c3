#include "a4c/record.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "a4c/clock.h"
#include "a4c/digests.h"
#include "a4c/json.h"
#include "base/json_members.h"
#include "base/md5.h"

namespace a4c {
namespace {

constexpr size_t kKeyBytesMax = 256;
constexpr size_t kIndexedBytesMax = 1024;
constexpr size_t kQuietBytesMax = 16'384;  // of a quiet value that is in no index

Error WrongType(const Field& field) {
  static constexpr const char* kNames[] = {
      "string", "string", "integer", "number", "boolean", "integer (milliseconds)", "object"};
  return Error(Code::kInvalid, "field \"" + field.name + "\" is not of type " +
                                   kNames[static_cast<size_t>(field.type)]);
}

Result<Scalar> ScalarOf(const Field& field, const Json& value) {
  switch (field.type) {
    case FieldType::kKeyword:
      if (value.IsText()) return Scalar(value.Text());
      break;
    case FieldType::kLong:
    case FieldType::kTime:
      if (value.IsInt()) return Scalar(value.Int());
      break;
    case FieldType::kDouble:
      if (value.IsNumber()) return Scalar(value.Number());
      break;
    case FieldType::kBool:
      if (value.IsBool()) return Scalar(value.Bool());
      break;
    case FieldType::kText:
    case FieldType::kMap:
      break;  // no index names these: CheckKind
  }
  return WrongType(field);
}

Result<void> CheckText(const Field& field, const std::string& text, size_t bytes_max) {
  const std::string name = "field \"" + field.name + "\"";
  if (text.size() > bytes_max) {
    return Error(Code::kInvalid, name + " is longer than " + std::to_string(bytes_max) + " bytes");
  }
  if (text.find('\0') != std::string::npos) return Error(Code::kInvalid, name + " holds a NUL");
  if (!IsUtf8(text)) return Error(Code::kInvalid, name + " is not valid UTF-8");
  return {};
}

// An indexed value has a place in an order, which every engine must be able to keep.
Result<void> CheckScalar(const Field& field, const Scalar& value,
                         size_t bytes_max = kIndexedBytesMax) {
  if (const auto* number = std::get_if<double>(&value);
      number != nullptr && !std::isfinite(*number)) {
    return Error(Code::kInvalid, "field \"" + field.name + "\" is not finite");
  }
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? Result<void>() : CheckText(field, *text, bytes_max);
}

Result<Scalar> ReadMember(const Field& field, const Json& member) {
  A4C_TRY(Scalar value, ScalarOf(field, member));
  A4C_CHECK(CheckScalar(field, value));
  return value;
}

bool IsIndexed(const Kind& kind, std::string_view name) {
  return std::ranges::any_of(kind.indexes, [name](const ScanIndex& index) {
    return std::ranges::find(index.fields, name) != index.fields.end();
  });
}

bool FitsType(const Field& field, const Scalar& value) {
  switch (field.type) {
    case FieldType::kKeyword:
      return std::holds_alternative<std::string>(value);
    case FieldType::kLong:
    case FieldType::kTime:
      return std::holds_alternative<int64_t>(value);
    case FieldType::kDouble:
      return std::holds_alternative<double>(value);
    case FieldType::kBool:
      return std::holds_alternative<bool>(value);
    default:
      return false;
  }
}

Result<void> CheckQuietValue(const Kind& kind, const std::string& name, const Scalar& value) {
  const Field* field = FindField(kind, name);
  if (field == nullptr || !field->quiet) {
    return Error(Code::kInvalid, "\"" + name + "\" is not a quiet field of " + kind.name);
  }
  if (std::holds_alternative<std::monostate>(value)) return {};
  if (!FitsType(*field, value)) return WrongType(*field);
  return CheckScalar(*field, value, IsIndexed(kind, name) ? kIndexedBytesMax : kQuietBytesMax);
}

Result<void> CheckKeyPart(std::string_view part, std::string_view name, size_t bytes_min) {
  const std::string what(name);
  if (part.size() < bytes_min) return Error(Code::kInvalid, what + " is empty");
  if (part.size() > kKeyBytesMax) return Error(Code::kInvalid, what + " is longer than 256 bytes");
  if (part.find('\0') != std::string_view::npos)
    return Error(Code::kInvalid, what + " holds a NUL");
  if (!IsUtf8(part)) return Error(Code::kInvalid, what + " is not valid UTF-8");
  return {};
}

}  // namespace

Result<FieldValues> IndexedFields(const Kind& kind, std::string_view body, const BodyLimits& limits,
                                  std::string* wrong_field) {
  const auto wanted = [&kind](std::string_view name) { return IsIndexed(kind, name); };
  A4C_TRY(Json json, ParseMembers(body, {limits.bytes_max, limits.depth_max}, wanted));
  if (!json.IsObject()) return Error(Code::kInvalid, "the body is not a JSON object");
  FieldValues values;
  for (const auto& [name, member] : json.Members()) {
    const Field* field = FindField(kind, name);
    if (field == nullptr || field->quiet || member.IsNull()) continue;
    Result<Scalar> value = ReadMember(*field, member);
    if (!value) {
      if (wrong_field != nullptr) *wrong_field = name;
      return value.error();
    }
    values.emplace(name, *std::move(value));
  }
  return values;
}

Result<void> CheckKey(const Key& key) {
  A4C_CHECK(CheckKeyPart(key.scope, "scope", 0));
  return CheckKeyPart(key.id, "id", 1);
}

Result<void> CheckQuiet(const Kind& kind, const FieldValues& quiet, std::string* wrong_field) {
  for (const auto& [name, value] : quiet) {
    Result<void> fits = CheckQuietValue(kind, name, value);
    if (fits) continue;
    if (wrong_field != nullptr) *wrong_field = name;
    return fits;
  }
  return {};
}

uint32_t BodyHash(std::string_view body) {
  return Md5First32(body);
}

int DigestBucket(std::string_view id) {
  return static_cast<int>(Md5First32(id) >> 22);
}

uint32_t DigestOf(std::string_view id, int64_t rev, uint32_t body_hash, bool tombstone,
                  int projection) {
  std::string text(id);
  text += '/' + std::to_string(rev) + '/' + std::to_string(body_hash) +
          (tombstone ? "/1/" : "/0/") + std::to_string(projection);
  return Md5First32(text);
}

}  // namespace a4c
