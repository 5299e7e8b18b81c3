// Nearest: what somebody probably meant who wrote an unknown name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/export.h"

namespace a4c {

// The candidate with the fewest edits, or "" if none is within a third of the name (at least two).
// [any thread]
A4C_API std::string NearestOf(std::string_view name, std::span<const std::string_view> candidates);

// The same over any container of strings.
template <typename Names>
std::string Nearest(std::string_view name, const Names& names) {
  return NearestOf(name, std::vector<std::string_view>(std::begin(names), std::end(names)));
}

}  // namespace a4c
