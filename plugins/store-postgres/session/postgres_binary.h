// PostgreSQL's binary format of the values that the plugin sends and reads: big-endian numbers,
// text as its bytes, arrays for unnest(). Nothing is escaped and nothing is parsed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "a4c/kind.h"
#include "a4c/record.h"

namespace a4c::postgres {

// A column type: its name in SQL, and its number on the wire.
struct SqlType {
  const char* name;
  uint32_t oid;
};
inline constexpr SqlType kText{"text", 25};
inline constexpr SqlType kJsonType{"json", 114};
inline constexpr SqlType kBigint{"bigint", 20};
inline constexpr SqlType kDouble{"double precision", 701};
inline constexpr SqlType kBoolean{"boolean", 16};
inline constexpr SqlType kTid{"tid", 27};

const SqlType& SqlTypeOf(FieldType type);

// The bytes of one parameter.
std::string ToBinary(int64_t value);
std::string ToBinary(const Scalar& value);  // not of monostate

int64_t Int64FromBinary(std::string_view bytes);
Scalar ScalarFromBinary(FieldType type, std::string_view bytes);

// A one-dimensional array, built item by item.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(const SqlType& type);
  void AddBytes(std::string_view bytes);  // text, json, or what is in binary already
  void AddInt(int64_t value) { AddBytes(ToBinary(value)); }
  void AddBool(bool value) { AddBytes(std::string_view(value ? "\1" : "\0", 1)); }
  void AddScalar(const Scalar& value);
  void AddNull();
  size_t bytes() const { return bytes_.size(); }
  std::string Finish() &&;

 private:
  std::string bytes_;
  uint32_t count_ = 0;
  bool has_null_ = false;
};

}  // namespace a4c::postgres
