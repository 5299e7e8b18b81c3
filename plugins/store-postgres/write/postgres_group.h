// Groups: the batches of one call, sorted into those that one statement per table may create and
// those that have to be decided under locks. Each group is one transaction.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/store.h"
#include "read/postgres_scopes.h"
#include "schema/postgres_catalog.h"

namespace a4c::postgres {

struct Item {
  size_t index = 0;  // in the call
  CheckedBatch checked = {};
  // What it writes if none of its records exists: lane 1 may try that without looking.
  std::optional<Verdict> create = {};
};
using Items = std::vector<const Item*>;

struct Groups {
  Items creates;
  Items others;
};

// Checks the batches: those that are wrong in themselves get their result, the others are items.
std::vector<Item> ItemsOf(const Call& call, const Catalog& catalog,
                          std::span<const WriteBatch> batches, std::vector<BatchResult>& results);

// Creates go first, as far as nobody can tell that from the order given: one that names a record
// of an item before it, or a value that such an item may give up, stays behind it.
Groups GroupsOf(const std::vector<Item>& items);

// In which the items' records are.
Scopes ScopesOf(const Items& items);

BatchResult NotApplied(Error error);
BatchResult Unknown(Error error);

}  // namespace a4c::postgres
