// Forgetting by age: a kind whose records end by age lies in parts, and a part that holds nothing
// young is dropped whole, so that no row is deleted and nothing is left to be vacuumed.
//
// New rows go to the newest part. A new one is begun when the newest has been written for a quarter
// of the time that records are kept, in a transaction that holds the table's lock: it waits for all
// who write, and who writes after it sees it. So no row appears in an older part any more, and what
// an insert finds there is all that there is.
#pragma once

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "schema/postgres_table.h"
#include "session/postgres_connector.h"
#include "session/postgres_options.h"

namespace a4c::postgres {

// As Retention::Forget. False at once while another session changes tables, and where the table's
// lock is not had within a second: others are not to wait for it longer. `owner` connects as the
// role that owns the tables.
Result<bool> ForgetParts(const Call& call, const Table& table, int64_t before_ms, Connector& owner,
                         const Options& options);

}  // namespace a4c::postgres
