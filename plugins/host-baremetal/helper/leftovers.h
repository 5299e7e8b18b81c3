// Processes of a container that dockerd knows nothing of. One that is killed in the middle of a
// start leaves them: they run, or wait to be started, hold the unit's volume, and no call of its
// API ends them (Docker 20.10).
#pragma once

#include <string>
#include <string_view>

#include "a4c/result.h"

namespace a4c::helper {

// Of 64 hexadecimal digits, as nothing else in the path of a control group has them.
bool IsContainerId(std::string_view text);

// Kills whatever is in the container's control group, and waits until it is gone. kUnavailable: it
// does not go.
Result<void> EndProcessesOf(const std::string& container, const std::string& proc);

// Kills containerd's keeper of a container that has been removed, if there is one still: it waits
// for ever for dockerd to ask how a process ended that dockerd has lost. containerd then forgets
// the task by itself.
void EndShimOf(const std::string& container, const std::string& proc);

}  // namespace a4c::helper
