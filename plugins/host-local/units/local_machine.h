// What the machine says it is, as uname(2) has it.
#pragma once

#include <string>
#include <string_view>

namespace a4c::local {

// As Go names it: "amd64" of "x86_64"; a name that is not known stays as it is.
std::string GoArch(std::string_view machine);

std::string MachineArch();
std::string KernelVersion();

}  // namespace a4c::local
