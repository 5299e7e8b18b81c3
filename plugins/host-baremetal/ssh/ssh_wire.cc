#include "ssh/ssh_wire.h"

namespace a4c::baremetal {

void AppendNumber(std::string& message, size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) message += static_cast<char>(value >> shift);
}

void AppendText(std::string& message, std::string_view text) {
  AppendNumber(message, text.size());
  message += text;
}

std::optional<uint32_t> WireReader::Number() {
  if (left_.size() < 4) return {};
  uint32_t value = 0;
  for (const char c : left_.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  left_.remove_prefix(4);
  return value;
}

std::optional<std::string> WireReader::Text() {
  const auto size = Number();
  if (!size || *size > left_.size()) return {};
  std::string text(left_.substr(0, *size));
  left_.remove_prefix(*size);
  return text;
}

}  // namespace a4c::baremetal
