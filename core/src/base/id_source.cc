#include <algorithm>

#include "a4c/clock.h"
#include "a4c/record.h"

namespace a4c {
namespace {

std::string Format(uint64_t high, uint64_t low) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (int nibble = 31; nibble >= 0; --nibble) {
    const uint64_t half = nibble >= 16 ? high : low;
    text += kDigits[(half >> (nibble % 16 * 4)) & 0xF];
    if (nibble == 24 || nibble == 20 || nibble == 16 || nibble == 12) text += '-';
  }
  return text;
}

}  // namespace

// RFC 9562, 6.2 method 1: the 12 bits after the time count up within a millisecond, and borrow from
// the next one when they run over or when the clock goes back, so that ids never fall.
std::string IdSource::Next() {
  const uint64_t now = static_cast<uint64_t>(clock_.NowMs()) << 12;
  uint64_t last = last_.load();
  uint64_t stamp = std::max(now, last + 1);
  while (!last_.compare_exchange_weak(last, stamp)) stamp = std::max(now, last + 1);
  const uint64_t high = (stamp >> 12) << 16 | 0x7000 | (stamp & 0xFFF);
  const uint64_t low = (random_.Next() & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000;
  return Format(high, low);
}

}  // namespace a4c
