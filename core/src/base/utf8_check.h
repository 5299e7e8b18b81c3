// Whether bytes are UTF-8: no surrogates, no overlong forms. See also IsUtf8 in a4c/json.h.
#pragma once

#include <cstddef>
#include <string_view>

namespace a4c {

// Where the text stops being UTF-8; its size, if nowhere.
size_t FirstNotUtf8(std::string_view text);

}  // namespace a4c
