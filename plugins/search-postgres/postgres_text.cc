#include "postgres_text.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>

namespace a4c::search_postgres {
namespace {

constexpr uint32_t kLastPoint = 0x10FFFF;

// Where the last code point of valid UTF-8 begins.
size_t LastPoint(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

uint32_t Decode(std::string_view bytes) {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  if (bytes.size() == 1) return byte(0);
  uint32_t point = byte(0) & (0x7Fu >> bytes.size());
  for (size_t i = 1; i < bytes.size(); ++i) point = point << 6 | (byte(i) & 0x3F);
  return point;
}

std::string Encode(uint32_t point) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 | point >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | point >> 18), tail(12), tail(6), tail(0)};
}

}  // namespace

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string ArrayText(const std::vector<std::string>& items) {
  std::string text = "{";
  for (const std::string& item : items) {
    text += text.size() == 1 ? "\"" : ",\"";
    for (const char c : item) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

std::string ToText(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof(digits), std::get<double>(value)).ptr;
  return {digits, end};
}

Scalar FromText(FieldType type, std::string_view text) {
  switch (type) {
    case FieldType::kBool:
      return text == "t" || text == "true";
    case FieldType::kLong:
    case FieldType::kTime: {
      int64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return number;
    }
    case FieldType::kDouble: {
      double number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return number;
    }
    case FieldType::kKeyword:
    case FieldType::kText:
    case FieldType::kMap:
      break;
  }
  return std::string(text);
}

std::string BehindPrefix(std::string_view prefix) {
  for (; !prefix.empty(); prefix = prefix.substr(0, LastPoint(prefix))) {
    const size_t last = LastPoint(prefix);
    uint32_t point = Decode(prefix.substr(last)) + 1;
    if (point >= 0xD800 && point < 0xE000) point = 0xE000;  // surrogates are no UTF-8
    if (point <= kLastPoint) return std::string(prefix.substr(0, last)) + Encode(point);
  }
  return {};
}

}  // namespace a4c::search_postgres
