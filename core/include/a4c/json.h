// Json: a parsed JSON value, and the one door through which untrusted JSON comes in.
//
//   A4C_TRY(Json reply, ParseJson(text));
//   for (const Json& item : reply["items"].Items()) Use(item["id"].Text());
//
// ParseJson never recurses, bounds depth and size, refuses invalid UTF-8, duplicate keys and
// trailing text, and reads numbers by itself: RapidJSON 1.1.0, which scans for it, aborts on some
// numbers and overflows its stack on deep input. Reading a member that is not there gives null, so
// a chain of [] needs no checks. Plain data [any thread].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "a4c/export.h"
#include "a4c/result.h"

namespace a4c {

struct JsonLimits {
  size_t bytes_max = 16u << 20;
  int depth_max = 1000;
};

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;  // in the order written

  Json() = default;
  Json(std::nullptr_t) {}                                       // NOLINT: implicit, as are the next
  Json(bool value) : value_(value) {}                           // NOLINT
  Json(int64_t value) : value_(value) {}                        // NOLINT
  Json(int value) : value_(int64_t{value}) {}                   // NOLINT
  Json(double value) : value_(value) {}                         // NOLINT
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT
  Json(Array value) : value_(std::move(value)) {}               // NOLINT
  Json(Object value) : value_(std::move(value)) {}              // NOLINT
  A4C_API Json(const Json&);
  A4C_API Json(Json&&) noexcept;
  A4C_API Json& operator=(const Json&);
  A4C_API Json& operator=(Json&&) noexcept;
  A4C_API ~Json();  // without recursion, however deep

  bool IsNull() const { return std::holds_alternative<std::monostate>(value_); }
  bool IsBool() const { return std::holds_alternative<bool>(value_); }
  bool IsInt() const { return std::holds_alternative<int64_t>(value_); }
  bool IsNumber() const { return IsInt() || std::holds_alternative<double>(value_); }
  bool IsText() const { return std::holds_alternative<std::string>(value_); }
  bool IsArray() const { return std::holds_alternative<Array>(value_); }
  bool IsObject() const { return std::holds_alternative<Object>(value_); }

  // The value, or the fallback if it is of another type.
  A4C_API bool Bool(bool fallback = false) const;
  A4C_API int64_t Int(int64_t fallback = 0) const;
  A4C_API double Number(double fallback = 0) const;
  A4C_API const std::string& Text() const;  // "" if it is no string
  A4C_API const Array& Items() const;       // empty if it is no array
  A4C_API const Object& Members() const;    // empty if it is no object
  // The member of that name, or null.
  A4C_API const Json& operator[](std::string_view name) const;
  A4C_API const Json* Find(std::string_view name) const;
  // Adds or replaces a member; makes null an object.
  A4C_API Json& Set(std::string_view name, Json value);
  // Adds a member to an object, without looking for one of that name.
  A4C_API Json& AppendMember(std::string name, Json value);
  // Adds an item; makes null an array.
  A4C_API Json& Append(Json value);

  // Compact JSON text in valid UTF-8.
  A4C_API std::string ToString() const;
  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

// kInvalid: "offset 17: ..." Integers beyond 64 bits become doubles; numbers beyond doubles are
// refused.
A4C_API Result<Json> ParseJson(std::string_view text, const JsonLimits& limits = {});

// True if the text is valid UTF-8 (no surrogates, no overlong forms).
A4C_API bool IsUtf8(std::string_view text);

}  // namespace a4c
