// Reads the config of a conformance run: a JSON file that holds the plugin's settings as they are,
// with ${NAME} replaced by the environment.
//
// Two names are always there: ${A4C_TEST_DIR}, a new directory that is removed after the run, and
// ${A4C_TEST_WORD}, eight random letters for what must be unique on a shared server.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "a4c/config.h"

namespace a4c::conformance {

struct ConfigFile {
  ConfigValue value;
  std::vector<std::string> missing;  // names that the environment does not have
};

// Members of `given` go before the environment. kInvalid: "conformance.json: offset 17: ..."
Result<ConfigFile> ReadConfigFile(const std::string& file,
                                  const std::map<std::string, std::string>& given);

}  // namespace a4c::conformance
