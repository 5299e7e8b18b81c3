// What is kept of a unit: the file unit.json in its directory. No I/O.
#pragma once

#include <string>
#include <string_view>

#include "a4c/host_provider.h"
#include "supervisor/local_launch.h"

namespace a4c::local {

// The variable that holds a unit's mark in each of its processes.
inline constexpr const char* kMarkName = "A4C_UNIT_MARK=";

struct UnitRecord {
  std::string name;
  std::map<std::string, std::string> labels;
  UnitSpec spec;
  std::string mark;  // random; in the environment of each of its processes
};

std::string EncodeUnit(const UnitRecord& unit);
// kInternal: the file is damaged.
Result<UnitRecord> DecodeUnit(std::string_view text);

// What a unit's files say of its state. supervised: its supervisor lives.
UnitStatus JudgeState(bool supervised, const std::optional<RunRecord>& run,
                      const std::optional<ExitRecord>& exit, const std::string& boot_id);

}  // namespace a4c::local
