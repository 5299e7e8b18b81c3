// The files of a unit's log: each is named by where in the log it begins. Used by the supervisor,
// which writes them, and by the plugin, which reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace a4c::local {

// "log.<start>".
std::string LogSegmentName(int64_t start);
// Where those of a unit's directory begin, in order.
std::vector<int64_t> LogSegmentsIn(int directory);

}  // namespace a4c::local
