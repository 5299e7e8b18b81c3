// Moving records from one store to another, for whoever changes the plugin.
//
//   for (const Kind& kind : StoredKinds(collections)) {
//     A4C_TRY(StoreCopyReport report, CopyKind(call, old_store, new_store, kind));
//   }
//
// CopyKind makes the new store equal to the old one, record by record: bodies, revs, tombstones and
// quiet values; it writes only what differs, so doing it again costs a reading of both. While
// somebody writes to the old store, the copy is of no single moment: with the writers stopped, a
// pass that finds nothing to do proves that both are equal. Nobody else may write to the new one.
// What the old store forgot by age meanwhile, and is written once, the new one forgets by itself.
// [any thread]
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "a4c/store.h"

namespace a4c {

struct StoreCopyReport {
  int64_t records = 0;  // in the old store
  int64_t written = 0;  // that the new one lacked, or held otherwise
  int64_t removed = 0;  // that only the new one had
};

// Both stores know the kind (Ensure). progress is told after each page what there is so far; an
// error from it ends the copy.
A4C_API Result<StoreCopyReport> CopyKind(
    const Call& call, Store& from, Store& to, const Kind& kind,
    const std::function<Result<void>(const StoreCopyReport&)>& progress = {});

// Marks a store as one whose records have moved: a Database over it does not open. Empty: takes the
// mark away. The store knows the kinds of StoredKinds().
A4C_API Result<void> MarkStoreMoved(const Call& call, Store& store, const std::string& to);

}  // namespace a4c
