// Page cursors as clients see them: opaque, URL-safe, and of use only for the list that made them.
#pragma once

#include <string>
#include <string_view>

#include "a4c/result.h"

namespace a4cd {

// `list` names what is listed and how: tenant, route, query, sort.
std::string EncodeCursor(std::string_view list, std::string_view position);
// kInvalid: no cursor, or the cursor of another list. An empty text is an empty position.
a4c::Result<std::string> DecodeCursor(std::string_view list, std::string_view text);

// BLAKE2b in hexadecimal digits: for request hashes and the like.
std::string HashHex(std::string_view text);

}  // namespace a4cd
