// How SSH writes numbers and strings (RFC 4251, section 5). No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace a4c::baremetal {

void AppendNumber(std::string& message, size_t value);
void AppendText(std::string& message, std::string_view text);

// Takes what was appended off again; nothing once something did not fit.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : left_(bytes) {}
  std::optional<uint32_t> Number();
  std::optional<std::string> Text();

 private:
  std::string_view left_;
};

}  // namespace a4c::baremetal
