// Comparing a store with a search index by digests.
#pragma once

#include "a4c/digests.h"
#include "collection/database.h"

namespace a4c {

// Compares the store with this index (the live one, or a generation that is being filled): what
// differs in both of two looks, and is not on its way, has drifted. progress is told how many
// records were read.
Result<VerifyReport> VerifyIndex(Database::State& state, const Call& call, const Kind& kind,
                                 SearchIndex& index, const DigestProgress& progress = {});

// How long a proof may take: a period of them, and ten minutes at least.
int64_t VerifyTimeoutMs(const DatabaseOptions& options);

// Announces records as if they had changed, due at once; how many were not announced before. A
// record that the store lacks is announced too: the index's copy is then answered with a tombstone.
Result<int64_t> AnnounceAgain(Database::State& state, const Call& call,
                              std::span<const RecordRef> refs);

}  // namespace a4c
