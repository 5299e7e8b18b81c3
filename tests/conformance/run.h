// The run's one plugin, set by main before the suites run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "a4c/plugin_host.h"

namespace a4c::conformance {

struct Run {
  std::string plugin;
  ConfigValue config;
  PluginInfo info;
  std::unique_ptr<PluginHost> host;
  // Of random tests: how many cases at least, and the first seed.
  int count = 1'000;
  uint32_t seed = 1;
};

// The run; valid from when main has set it up.
Run& TheRun();

// Eight random letters and digits.
std::string RandomWord();

}  // namespace a4c::conformance
