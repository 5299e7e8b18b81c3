// What `a4cd migrate` does: makes what the store lacks for this release, without starting anything
// else, or says what that would be.
#pragma once

#include <string>
#include <vector>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "apps/a4cd/config/settings.h"

namespace a4cd {

a4c::Result<void> Migrate(const Settings& settings, const a4c::Runtime& runtime);

// The statements, in the store's own language. kUnsupported: a store that cannot tell.
a4c::Result<std::vector<std::string>> PlanMigration(const Settings& settings,
                                                    const a4c::Runtime& runtime);

}  // namespace a4cd
