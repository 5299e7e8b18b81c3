// ParseMembers: a few members of a JSON object, without a tree of all the others.
#pragma once

#include <functional>
#include <string_view>

#include "a4c/json.h"

namespace a4c {

// Refuses whatever ParseJson refuses. Keeps those members of the outermost object whose names are
// wanted, and of arrays and objects among them no more than that they are one. Null if the text is
// no object.
Result<Json> ParseMembers(std::string_view text, const JsonLimits& limits,
                          const std::function<bool(std::string_view)>& wanted);

}  // namespace a4c
