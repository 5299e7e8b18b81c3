// What a scan reads, as SQL: one index-ordered range behind the cursor, or, where a cursor stands
// on an absent value, several that follow each other.
#pragma once

#include <span>

#include "a4c/scan_rules.h"
#include "schema/postgres_table.h"
#include "session/postgres_session.h"

namespace a4c::postgres {

// Answers up to limit + 1 rows: scope, id, rev, tombstone, body, quiet, then the index's body
// fields.
Statement ScanOf(const Table& table, const ScanPlan& plan, const ScanRequest& request);

// The first living row of each group in the order of the index: see Reader::Firsts. Answers: place
// from 1, scope, id, rev, tombstone, body, quiet.
Statement FirstsOf(const Table& table, const ScanIndex& index, std::span<const Key> groups);

}  // namespace a4c::postgres
