// Writing records to an index past the outbox: one that nobody uses yet.
#pragma once

#include <functional>
#include <span>

#include "collection/database.h"

namespace a4c {

// kRetry of a document is an error. A document that the index refuses is left to the proof, which
// sends it through the sync: that counts rejections. One that is there already was written by the
// sync.
Result<void> FillRecords(const Call& call, SearchIndex& index, const Kind& kind,
                         std::span<const Record> records);

}  // namespace a4c
