// Writing: from a Commit to one batch, and from the batch's fate to an answer.
#pragma once

#include "collection/database.h"

namespace a4c {

// A commit as the batch that carries it out:
//   [idempotency row] changes... also... [outbox rows]
struct PlannedBatch {
  WriteBatch batch;
  size_t first_change = 0;  // op of the first change: 1 with an idempotency row, else 0
  std::vector<Token> tokens = {};
};
// kInvalid: a change that expects anything.
Result<PlannedBatch> PlanBatch(const Database::State& state, const Commit& commit);

}  // namespace a4c
