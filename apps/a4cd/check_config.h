// What a4cd --check-config looks at beyond the settings themselves: files and plugins that they
// name.
#pragma once

#include "a4c/clock.h"
#include "a4c/result.h"
#include "apps/a4cd/config/settings.h"

namespace a4cd {

// kInvalid names every fault, one a line: plugins that are not there, are of another kind or do not
// take their config, and a file of keys that the service would not start with. Opens no back end.
a4c::Result<void> CheckNamed(const Settings& settings, const a4c::Runtime& runtime);

}  // namespace a4cd
