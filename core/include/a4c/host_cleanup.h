// What a host keeps that no unit runs in: images, and volumes whose unit is gone. Asked for by
// host.As<HostCleanup>(); null where the provider keeps nothing of the kind. It tells and it takes
// away; what may go, its caller decides. Nothing that is not ours is ever listed. [any thread]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/result.h"

namespace a4c {

struct HostItem {
  enum class Kind : uint8_t {
    kImage,
    kVolume,  // of a unit whose container is not there; it goes by HostProvider::Remove of the unit
  };
  Kind kind = Kind::kImage;
  std::string id;                       // of an image; the name of a volume
  std::vector<std::string> names = {};  // of an image; none: superseded, or of a build that failed
  std::string unit = {};                // of a volume
  int64_t bytes = 0;                    // what the host gets back without it, about
  int64_t age_ms = 0;                   // since it came, or got a name
  bool in_use = false;                  // a unit, running or not, is made of it
};

struct HostUse {
  int64_t images_bytes = 0;  // of all images that the host has, shared layers once
  int64_t cache_bytes = 0;   // of them, those of ours without a name
  int64_t units_bytes = 0;   // what our units have written, volumes included
  std::vector<HostItem> items = {};
};

class HostCleanup {
 public:
  static constexpr std::string_view kExtension = "a4c.host_cleanup";
  virtual ~HostCleanup() = default;
  // May take seconds: the host adds up what it has.
  virtual Result<HostUse> Survey(const Call& call, const std::string& host) = 0;
  // Takes away an image of ours, all its names; success also if it is not there. kConflict: a unit
  // is made of it by now, and it keeps its names.
  virtual Result<void> DiscardImage(const Call& call, const std::string& host,
                                    const std::string& id) = 0;
};

}  // namespace a4c
