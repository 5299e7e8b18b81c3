// What an a4cd does for its search index once that can be reached. Nobody needs the index to start
// or to write, so it may come later than a4cd: until then this loop is in trouble, and says why.
#pragma once

#include <memory>

#include "a4c/clock.h"
#include "a4c/collection.h"
#include "apps/a4cd/config/settings.h"

namespace a4cd {

// Looks for the index until it is there, then fills it from the store, if `fill` asks for that: an
// index that is in memory alone, new, or was deleted. A fill that is broken off is left to the
// digests. From then on it looks whether the index is still there, for /readyz. index and database
// outlive the loop.
std::unique_ptr<a4c::Loop> NewIndexStart(a4c::Database& database, a4c::SearchIndex& index,
                                         const IndexStartOptions& options,
                                         const a4c::Runtime& runtime);

}  // namespace a4cd
