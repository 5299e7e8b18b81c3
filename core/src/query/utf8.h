// UTF-8 texts: cutting without breaking a character, counting columns.
#pragma once

#include <cstddef>
#include <string_view>

namespace a4c {

// The longest beginning of at most bytes_max bytes that ends with a whole character.
std::string_view CutUtf8(std::string_view text, size_t bytes_max);

// The column, from 1, of the character at this byte of valid UTF-8.
size_t ColumnOf(std::string_view text, size_t offset);

}  // namespace a4c
