// docs/api/openapi.json, which is compiled in.
#pragma once

#include <string>

namespace a4cd {

std::string OpenApiText();

}  // namespace a4cd
