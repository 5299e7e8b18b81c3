// Lists and maps of text, as records and answers hold them. What is no text is read as "".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "a4c/json.h"

namespace a4cd {

a4c::Json ListJson(const std::vector<std::string>& list);
a4c::Json MapJson(const std::map<std::string, std::string>& map);

std::vector<std::string> ListOf(const a4c::Json& array);
std::map<std::string, std::string> MapOf(const a4c::Json& object);

}  // namespace a4cd
