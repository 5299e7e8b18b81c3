// The files that a unit keeps, carried to another unit, on the same host or on another one. Asked
// for by host.As<HostVolumes>(); null where the provider cannot.
//
//   hosts.Ensure(call, {.host = "b", .name = "copy", .epoch = 7, .wanted = UnitWanted::kStopped});
//   volumes->Copy(call, {"a", "original", "b", "copy", 7});
//
// A snapshot is a unit that was never started. [any thread]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "a4c/call.h"
#include "a4c/host_provider.h"
#include "a4c/result.h"

namespace a4c {

struct VolumeCopy {
  std::string from_host;
  std::string from_unit;
  std::string to_host;
  std::string to_unit;
  Fence fence;  // of to_unit
};

class HostVolumes {
 public:
  static constexpr std::string_view kExtension = "a4c.host_volumes";
  virtual ~HostVolumes() = default;
  // Streams the files of a unit that does not run into one that was never started, with owners,
  // modes and links; about how many bytes they were. Never whole in memory. After an error or an
  // unknown outcome part of them may be there: the receiver is removed and made again, which also
  // ends a copy that somebody else is still at. kNotFound: one of the units is not there.
  // kConflict: the first runs, the second was started, or the fence is too low. kExhausted: no
  // room, or more than the provider's bound.
  virtual Result<int64_t> Copy(const Call& call, const VolumeCopy& copy) = 0;
};

}  // namespace a4c
