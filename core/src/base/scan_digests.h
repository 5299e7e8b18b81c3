// The digests of what a store holds, record by record.
#pragma once

#include <functional>

#include "a4c/digests.h"

namespace a4c {

class Store;

// Reads all records of the kind in the order of ids; tombstones are left out. An error from visit
// or progress ends the reading and is returned.
A4C_API Result<void> ScanDigests(
    Store& store, const Call& call, const Kind& kind, const DigestProgress& progress,
    const std::function<Result<void>(int bucket, DigestRow row)>& visit);

}  // namespace a4c
