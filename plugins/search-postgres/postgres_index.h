// The index over a schema of a PostgreSQL database.
#pragma once

#include <memory>

#include "a4c/clock.h"
#include "a4c/result.h"
#include "a4c/search_index.h"
#include "postgres_options.h"

namespace a4c::search_postgres {

// Connects at the first call.
std::unique_ptr<SearchIndex> NewPostgresIndex(Options options, const Runtime& runtime);

}  // namespace a4c::search_postgres
