#include "units/local_machine.h"

#include <sys/utsname.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace a4c::local {
namespace {

constexpr std::pair<std::string_view, std::string_view> kGoNames[] = {
    {"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"},
    {"armv6l", "arm"},   {"i686", "386"},      {"loongarch64", "loong64"}};

utsname Machine() {
  utsname machine{};
  (void)uname(&machine);
  return machine;
}

}  // namespace

std::string GoArch(std::string_view machine) {
  const auto* known =
      std::ranges::find(kGoNames, machine, &std::pair<std::string_view, std::string_view>::first);
  return std::string(known == std::end(kGoNames) ? machine : known->second);
}

std::string MachineArch() {
  return GoArch(Machine().machine);
}

std::string KernelVersion() {
  return Machine().release;
}

}  // namespace a4c::local
