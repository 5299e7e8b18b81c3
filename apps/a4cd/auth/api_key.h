// API keys: "a4c_<44 letters and digits>_<6 of them, a CRC-32>". The random part is 256 bits; the
// checksum lets a mistyped key be refused, and a leaked one be found, without asking anybody.
// Stored is a BLAKE2b hash, never the key. No I/O.
#pragma once

#include <string>
#include <string_view>

#include "a4c/clock.h"

namespace a4cd {

std::string NewApiKey(a4c::Random& random);
// Shape and checksum.
bool IsApiKey(std::string_view text);
// 64 hexadecimal digits.
std::string ApiKeyHash(std::string_view key);
// The public id of the key with this hash: "key_" and half of the hash.
std::string ApiKeyId(std::string_view hash);
// Takes the same time wherever the two differ.
bool SameHash(std::string_view a, std::string_view b);

}  // namespace a4cd
