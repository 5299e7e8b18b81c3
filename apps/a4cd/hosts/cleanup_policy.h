// Which of a server's images go, by age and last use, and by how full its disk is. No I/O.
//
// Named images go once nothing has used them for image_age, nameless ones (superseded, or of a
// build that failed) after cache_age. A disk that is filled beyond act_at is pressed: then those
// that were used longest ago go, nameless first, until it is below stop_at; but none younger than
// pressed_age, so that what was built or sent a moment ago is still there for whoever asked for it.
// What a unit is made of, or a living workspace names, never goes.
#pragma once

#include <cstdint>
#include <vector>

#include "a4c/host_cleanup.h"

namespace a4cd {

struct CleanupPolicy {
  double act_at = 0.85;  // share of the disk that is used
  double stop_at = 0.70;
  int64_t image_age_ms = 7 * 24 * 3'600'000LL;
  int64_t cache_age_ms = 24 * 3'600'000LL;
  int64_t pressed_age_ms = 3'600'000;
  int64_t purge_age_ms = 600'000;  // of units that no record names; see executors/host_purge.cc
};

struct CleanupCandidate {
  a4c::HostItem item;
  bool is_named = false;  // by a living workspace
  int64_t idle_ms = 0;    // since it came, or a workspace that named it was deleted
};

struct DiskFill {
  int64_t total_bytes = 0;
  int64_t used_bytes = 0;

  double share() const {
    return total_bytes == 0 ? 0
                            : static_cast<double>(used_bytes) / static_cast<double>(total_bytes);
  }
};

struct CleanupPlan {
  std::vector<CleanupCandidate> going;  // in this order
  int64_t bytes = 0;                    // what they give back, about
  bool is_pressed = false;
};

CleanupPlan PlanCleanup(std::vector<CleanupCandidate> images, const DiskFill& disk,
                        const CleanupPolicy& policy);

}  // namespace a4cd
