// Jobs that wait for room which no server could have (work.capacity_wait_max): a change of the
// servers is what they wait for.
#pragma once

#include "a4c/collection.h"

namespace a4cd {

// Makes those of all tenants due at once; of each priority the 500 that are due next. Those that it
// does not come to, and one that is at its attempt meanwhile, are tried when they are due.
a4c::Result<void> WakeRoomWaits(const a4c::Call& call, a4c::Database& database);

}  // namespace a4cd
