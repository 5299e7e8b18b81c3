#include <algorithm>
#include <bit>
#include <cmath>

#include "a4c/json.h"
#include "store/cursor_codec.h"

namespace a4c {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr char kVersion = 1;

std::string ToBase64Url(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(byte);
    for (count += 8; count >= 6; count -= 6) text += kDigits[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kDigits[bits << (6 - count) & 63];
  return text;
}

std::optional<std::string> FromBase64Url(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char digit : text) {
    const size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 255);
  }
  return bytes;
}

void AppendNumber(std::string& out, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(number >> shift & 255);
}

void AppendText(std::string& out, std::string_view text) {
  AppendNumber(out, text.size());
  out += text;
}

// One character of type, then the value.
struct Appender {
  std::string& out;

  void operator()(std::monostate) const { out += '-'; }
  void operator()(bool value) const { out += value ? 't' : 'f'; }
  void operator()(int64_t value) const {
    out += 'i';
    AppendNumber(out, static_cast<uint64_t>(value));
  }
  void operator()(double value) const {
    out += 'd';
    AppendNumber(out, std::bit_cast<uint64_t>(value));
  }
  void operator()(const std::string& value) const {
    out += 's';
    AppendText(out, value);
  }
};

void AppendValues(std::string& out, const std::vector<Scalar>& values) {
  AppendNumber(out, values.size());
  for (const Scalar& value : values) std::visit(Appender{out}, value);
}

// What a cursor is bound to. Bounds are not in it: a poller's "due until now" moves between pages.
uint32_t MarkOf(const ScanRequest& request) {
  std::string text;
  AppendText(text, request.kind);
  AppendText(text, request.index);
  AppendText(text, request.scope ? "s" + *request.scope : "-");
  AppendValues(text, request.prefix);
  text += request.descending ? 'd' : 'a';
  return BodyHash(text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  uint64_t Number() {
    const std::string_view bytes = Take(8);
    uint64_t number = 0;
    for (size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<uint8_t>(bytes[i]);
    return number;
  }
  char Char() {
    const std::string_view bytes = Take(1);
    return bytes.empty() ? '\0' : bytes[0];
  }
  std::string Text() { return std::string(Take(Number())); }
  Scalar Value() {
    switch (Char()) {
      case '-':
        return {};
      case 't':
        return true;
      case 'f':
        return false;
      case 'i':
        return static_cast<int64_t>(Number());
      case 'd':
        return std::bit_cast<double>(Number());
      case 's':
        return Text();
      default:
        failed_ = true;
        return {};
    }
  }
  // True if everything was read and nothing was missing.
  bool Complete() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view Take(uint64_t size) {
    failed_ = failed_ || size > rest_.size();
    if (failed_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  bool failed_ = false;
};

// Whoever has a cursor can make others, whose mark is right: a place outside of the request is none
// of its pages, and would lead to what it may not read.
bool IsWithin(const ScanRequest& request, const ScanPosition& position) {
  return (!request.scope || position.key.scope == *request.scope) &&
         std::equal(request.prefix.begin(), request.prefix.end(), position.values.begin());
}

// Only the first field of an index is always there.
bool IsPlaceIn(const ScanPlan& plan, const ScanPosition& position) {
  for (size_t i = 0; i < plan.fields.size(); ++i) {
    const Scalar& value = position.values[i];
    const bool absent = std::holds_alternative<std::monostate>(value);
    if (absent ? i == 0 : !FitsField(*plan.fields[i], value)) return false;
  }
  return CheckKey(position.key).has_value();
}

}  // namespace

bool FitsField(const Field& field, const Scalar& value) {
  switch (field.type) {
    case FieldType::kKeyword: {
      const auto* text = std::get_if<std::string>(&value);
      return text != nullptr && text->find('\0') == std::string::npos && IsUtf8(*text);
    }
    case FieldType::kLong:
    case FieldType::kTime:
      return std::holds_alternative<int64_t>(value);
    case FieldType::kDouble: {
      const auto* number = std::get_if<double>(&value);
      return number != nullptr && std::isfinite(*number);
    }
    case FieldType::kBool:
      return std::holds_alternative<bool>(value);
    case FieldType::kText:
    case FieldType::kMap:
      break;
  }
  return false;
}

std::string ScanCursor(const ScanRequest& request, const ScanPosition& last) {
  std::string bytes(1, kVersion);
  AppendNumber(bytes, MarkOf(request));
  AppendValues(bytes, last.values);
  AppendText(bytes, last.key.scope);
  AppendText(bytes, last.key.id);
  return ToBase64Url(bytes);
}

std::optional<ScanPosition> DecodeCursor(const ScanRequest& request, const ScanPlan& plan) {
  const std::optional<std::string> bytes = FromBase64Url(request.after);
  if (!bytes) return std::nullopt;
  Reader reader(*bytes);
  if (reader.Char() != kVersion || reader.Number() != MarkOf(request)) return std::nullopt;
  if (reader.Number() != plan.fields.size()) return std::nullopt;
  ScanPosition position;
  for (size_t i = 0; i < plan.fields.size(); ++i) position.values.push_back(reader.Value());
  position.key.scope = reader.Text();
  position.key.id = reader.Text();
  if (!reader.Complete() || !IsPlaceIn(plan, position)) return std::nullopt;
  if (!IsWithin(request, position)) return std::nullopt;
  return position;
}

}  // namespace a4c
