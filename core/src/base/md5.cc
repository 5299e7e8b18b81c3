#include "base/md5.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace a4c {
namespace {

using Words16 = std::array<uint32_t, 16>;
using State = std::array<uint32_t, 4>;

constexpr std::array<int, 16> kShifts = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};

std::array<uint32_t, 64> MakeSines() {
  std::array<uint32_t, 64> sines{};
  for (size_t i = 0; i < sines.size(); ++i) {
    sines[i] = static_cast<uint32_t>(std::floor(std::abs(std::sin(double(i + 1))) * 4294967296.0));
  }
  return sines;
}

uint32_t Round(size_t i, uint32_t b, uint32_t c, uint32_t d) {
  switch (i / 16) {
    case 0:
      return (b & c) | (~b & d);
    case 1:
      return (d & b) | (~d & c);
    case 2:
      return b ^ c ^ d;
    default:
      return c ^ (b | ~d);
  }
}

size_t WordOf(size_t i) {
  switch (i / 16) {
    case 0:
      return i;
    case 1:
      return (5 * i + 1) % 16;
    case 2:
      return (3 * i + 5) % 16;
    default:
      return (7 * i) % 16;
  }
}

void Transform(State& state, const char* block) {
  static const std::array<uint32_t, 64> kSines = MakeSines();
  Words16 words;
  std::memcpy(words.data(), block, 64);  // little-endian, as is every machine that we build for
  auto [a, b, c, d] = state;
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t sum = a + Round(i, b, c, d) + kSines[i] + words[WordOf(i)];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[i / 16 * 4 + i % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

uint32_t Md5First32(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const uint64_t bit_count = uint64_t{bytes.size()} * 8;
  while (bytes.size() >= 64) {
    Transform(state, bytes.data());
    bytes.remove_prefix(64);
  }
  std::array<char, 128> tail{};
  if (!bytes.empty()) std::memcpy(tail.data(), bytes.data(), bytes.size());
  tail[bytes.size()] = static_cast<char>(0x80);
  const size_t tail_bytes = bytes.size() < 56 ? 64 : 128;
  std::memcpy(tail.data() + tail_bytes - 8, &bit_count, 8);
  for (size_t at = 0; at < tail_bytes; at += 64) Transform(state, tail.data() + at);
  return __builtin_bswap32(state[0]);
}

}  // namespace a4c
