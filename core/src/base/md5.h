// MD5 (RFC 1321), of which only the first 32 bits are used: see BodyHash in a4c/record.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace a4c {

// The first four bytes of the digest, big-endian: what substr(md5(x), 1, 8) shows in PostgreSQL.
uint32_t Md5First32(std::string_view bytes);

}  // namespace a4c
