// Backfill: rows that an older version of a kind wrote get the columns of its newer indexes.
#pragma once

#include "a4c/call.h"
#include "a4c/clock.h"
#include "a4c/result.h"
#include "schema/postgres_table.h"
#include "session/postgres_session.h"

namespace a4c::postgres {

// In small commits, beside readers and writers; what others change meanwhile is left to them. A
// body that does not fit the new indexes stays out of them, with a warning.
Result<void> Backfill(const Call& call, Session& session, const Table& table,
                      const Runtime& runtime);

}  // namespace a4c::postgres
