// A unit made anew of another spec, keeping its files. Asked for by host.As<HostUpdate>(); null
// where the provider cannot. [any thread]
#pragma once

#include <string_view>

#include "a4c/call.h"
#include "a4c/host_provider.h"
#include "a4c/result.h"

namespace a4c {

class HostUpdate {
 public:
  static constexpr std::string_view kExtension = "a4c.host_update";
  virtual ~HostUpdate() = default;
  // As Ensure, but the unit is made of this spec and these labels whatever it was made of before:
  // stopped, made anew, and started if that is wanted. What it keeps stays, and never shrinks; its
  // log may begin anew. One that is not there is made, of what is left of it. The same again does
  // all of it again.
  //
  // kNotFound (host or image), kInvalid, kUnsupported, kConflict, and what is retryable: the unit
  // is as it was. After any other error it may be stopped, or gone but for its files, until the
  // same call, or one with another spec, succeeds.
  virtual Result<UnitStatus> Update(const Call& call, const Unit& unit) = 0;
};

}  // namespace a4c
