// Moves an installation to another store or search plugin: a4cd migrate-backend.
//
// Both take the settings that the instances run with, and those that they will run with. Without
// cut_over they copy, which may be done as often as wanted while the instances serve. What comes
// with cut_over, and why it is sound, is told in docs/design/migrate-backend.md.
#pragma once

#include <functional>
#include <string>

#include "a4c/clock.h"
#include "a4c/json.h"
#include "a4c/result.h"
#include "apps/a4cd/config/settings.h"

namespace a4cd {

struct MigrateOptions {
  bool cut_over = false;
  bool back = false;  // undoes a cut-over: the old back end serves again
  int64_t timeout_ms = 24 * 3'600'000;
  // A step of a sync that had begun before the old index was retired has ended by then.
  int64_t steps_end_ms = 35'000;
  // Told now and then what is done, as {"phase", "kind", "records", "written", ...}.
  std::function<void(const a4c::Json& progress)> progress = {};
};

// The last word: {"phase": "copied"|"cut over"|"back", ...}.
a4c::Result<a4c::Json> MigrateStore(const Settings& from, const Settings& to,
                                    const a4c::Runtime& runtime, const MigrateOptions& options);
a4c::Result<a4c::Json> MigrateSearch(const Settings& from, const Settings& to,
                                     const a4c::Runtime& runtime, const MigrateOptions& options);

}  // namespace a4cd
