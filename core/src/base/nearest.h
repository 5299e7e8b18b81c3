// Nearest: what somebody probably meant who wrote an unknown name.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace a4c {

// The candidate with the fewest edits, or "" if none is within a third of the name (at least two).
std::string Nearest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace a4c
