// What a fuzz target is to whoever drives it: libFuzzer (libfuzzer.cc) or the replay (replay.cc).
#pragma once

#include <string_view>

namespace a4c {

// Ends the process if something does not hold.
void FuzzOne(std::string_view input);

}  // namespace a4c
