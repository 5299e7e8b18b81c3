// Leases: core's over this store, except that a claim of several records reads the oldest of many
// subjects in one statement, where core asks for one subject after another.
#pragma once

#include <memory>

#include "a4c/leases.h"
#include "read/postgres_reader.h"
#include "schema/postgres_catalog.h"

namespace a4c::postgres {

// All outlive the result.
std::unique_ptr<Leases> NewPostgresLeases(Store& store, Reader& reader, const Catalogs& catalogs);

}  // namespace a4c::postgres
