// "Did you mean ...?"
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace a4c {

// The known name that is the fewest edits away, if that is few enough to be a slip; else "".
std::string Nearest(std::string_view name, std::span<const std::string> known);

}  // namespace a4c
