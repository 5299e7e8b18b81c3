// What a session's server says about itself, and what a primary has to be before a4c writes to it.
#pragma once

#include <cstdint>
#include <string>

#include "a4c/result.h"
#include "session/postgres_options.h"
#include "session/postgres_session.h"

namespace a4c::postgres {

// One row, for ServerFacts. Any role may ask for it.
Statement ServerFactsOf(const Options& options);
ServerFacts ServerFactsFrom(const Rows& rows);

// kUnavailable: no primary, or one that another has replaced (its timeline is below the highest
// seen): it would lose what it acknowledges. kInvalid: it would lose that in a crash, or it has no
// synchronous standby, and the config does not accept that.
Result<void> CheckPrimary(const ServerFacts& facts, int64_t timeline_seen, const Options& options);

// kInvalid: a role that row-level security does not bind.
Result<void> CheckIsBound(const ServerFacts& facts);

}  // namespace a4c::postgres
