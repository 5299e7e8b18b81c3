// The mark of a store whose records have moved to another one.
#pragma once

#include "a4c/store.h"

namespace a4c {

RecordRef StoreMovedRef();
// kConflict: they have.
Result<void> CheckStoreNotMoved(const Call& call, Store& store);

}  // namespace a4c
