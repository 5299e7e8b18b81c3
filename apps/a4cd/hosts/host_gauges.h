// The servers' figures as metrics, as their records have them: of each process that serves hosts,
// so that whichever is scraped tells of all of them, also of those that no instance can reach. A
// server that was removed is NaN, which no alert compares with anything.
#pragma once

#include <cstdint>
#include <memory>

#include "a4c/collection.h"

namespace a4cd {

// All outlive the loop.
std::unique_ptr<a4c::Loop> NewHostGauges(a4c::Database& database, const a4c::Runtime& runtime,
                                         int64_t period_ms);

}  // namespace a4cd
