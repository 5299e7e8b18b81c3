// Placement as people read it: every server with its figures, best first, and why not the others.
#pragma once

#include <cstdint>
#include <span>

#include "a4c/json.h"
#include "apps/a4cd/placement/placement.h"

namespace a4cd {

// {"at", "request", "summary", "can_ever_fit", "servers_total", "servers": [{"id", "fits", "score"
// or "reason", figures}]}, at most servers_max servers.
a4c::Json ExplainJson(std::span<const Server> servers, const PlacementRequest& request,
                      const PlacementLimits& limits, int64_t now_ms, size_t servers_max = 40);

}  // namespace a4cd
