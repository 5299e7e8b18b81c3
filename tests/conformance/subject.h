// What a conformance run tests: one plugin with one config, made through the loader as production
// does. The suites ask for new instances as they need them, and for what the plugin cannot do.
//
//   TEST(StoreApply, CreatesAndReads) {
//     auto store = conformance::Make<Store>();
//     ...
//   }
//   TEST(SearchIndexRebuild, AbsentIsNull) {
//     if (!conformance::Absent("rebuild")) { ... test that it works ... }
//     else EXPECT_EQ(index->As<Rebuild>(), nullptr);   // absent is tested too
//   }
//
// Suites are named after the interface (Store..., Bus..., SearchIndex..., HostProvider...): the
// runner runs those of the plugin's kind. A test leaves nothing that another could meet: it makes
// up its own names with Unique(), so that the suites also run on a server that is shared and not
// empty.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "a4c/bus.h"
#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/host_provider.h"
#include "a4c/search_index.h"
#include "a4c/store.h"

namespace a4c::conformance {

// The system's runtime, with warnings and errors of the plugin shown on standard error.
const Runtime& TheRuntime();

// A new instance over the same back end (the same file, server, broker); fails the test if it
// cannot be made. Instances of the memory plugins share nothing: ask Absent("shared_instances").
template <typename Interface>
std::unique_ptr<Interface> Make();

// True if the plugin declares that it cannot do this.
bool Absent(std::string_view capability);

// "prefix_<8 random letters and digits>": fit for kinds, topics, groups and units.
std::string Unique(std::string_view prefix);

// A call of the given length. Generous: conformance is about what happens, not about when.
Call Within(int64_t timeout_ms = 30'000);

}  // namespace a4c::conformance
