#include "session/postgres_binary.h"

#include <bit>
#include <utility>

namespace a4c::postgres {
namespace {

constexpr size_t kHeaderBytes = 20;  // dimensions, has-null, type, count, lower bound

void AppendUint32(std::string& out, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 255);
}

void AppendUint64(std::string& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 255);
}

}  // namespace

const SqlType& SqlTypeOf(FieldType type) {
  switch (type) {
    case FieldType::kLong:
    case FieldType::kTime:
      return kBigint;
    case FieldType::kDouble:
      return kDouble;
    case FieldType::kBool:
      return kBoolean;
    case FieldType::kKeyword:
    case FieldType::kText:
    case FieldType::kMap:
      break;
  }
  return kText;
}

std::string ToBinary(int64_t value) {
  std::string bytes;
  AppendUint64(bytes, static_cast<uint64_t>(value));
  return bytes;
}

std::string ToBinary(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<int64_t>(&value)) return ToBinary(*number);
  if (const auto* real = std::get_if<double>(&value)) {
    return ToBinary(std::bit_cast<int64_t>(*real));
  }
  return std::string(1, std::get<bool>(value) ? '\1' : '\0');
}

int64_t Int64FromBinary(std::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(number);
}

Scalar ScalarFromBinary(FieldType type, std::string_view bytes) {
  switch (type) {
    case FieldType::kLong:
    case FieldType::kTime:
      return Int64FromBinary(bytes);
    case FieldType::kDouble:
      return std::bit_cast<double>(Int64FromBinary(bytes));
    case FieldType::kBool:
      return bytes[0] != 0;
    case FieldType::kKeyword:
    case FieldType::kText:
    case FieldType::kMap:
      break;
  }
  return std::string(bytes);
}

ArrayBuilder::ArrayBuilder(const SqlType& type) {
  AppendUint32(bytes_, 1);
  AppendUint32(bytes_, 0);
  AppendUint32(bytes_, type.oid);
  AppendUint32(bytes_, 0);
  AppendUint32(bytes_, 1);
}

void ArrayBuilder::AddBytes(std::string_view bytes) {
  AppendUint32(bytes_, static_cast<uint32_t>(bytes.size()));
  bytes_ += bytes;
  ++count_;
}

void ArrayBuilder::AddScalar(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    AddBytes(*text);
  } else if (std::holds_alternative<std::monostate>(value)) {
    AddNull();
  } else {
    AddBytes(ToBinary(value));
  }
}

void ArrayBuilder::AddNull() {
  AppendUint32(bytes_, UINT32_MAX);
  ++count_;
  has_null_ = true;
}

std::string ArrayBuilder::Finish() && {
  std::string counts;
  AppendUint32(counts, has_null_ ? 1 : 0);
  bytes_.replace(4, 4, counts);
  counts.clear();
  AppendUint32(counts, count_);
  bytes_.replace(kHeaderBytes - 8, 4, counts);
  return std::move(bytes_);
}

}  // namespace a4c::postgres
