// What units use of their server: what tells one that works from one that idles. Asked for by
// host.As<HostActivity>(); null where the provider cannot say. [any thread]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/result.h"

namespace a4c {

struct UnitActivity {
  std::string name;
  int64_t cpu_ms = 0;  // 1000 a second and core; may fall back when processes end or it starts anew
  int64_t memory_bytes = 0;        // without what the kernel gives back when asked; 0: unknown
  int64_t memory_limit_bytes = 0;  // past which it is killed; 0: none, or unknown
  int64_t processes = 0;           // and threads, where the limit counts them; 0: unknown
  int64_t disk_used_bytes = 0;     // of what it keeps; 0: unknown
};

class HostActivity {
 public:
  static constexpr std::string_view kExtension = "a4c.host_activity";
  virtual ~HostActivity() = default;
  // Of those of these units that run, in any order: what each uses now, and has used so far.
  virtual Result<std::vector<UnitActivity>> Read(const Call& call, const std::string& host,
                                                 const std::vector<std::string>& units) = 0;
};

}  // namespace a4c
