// The store over PostgreSQL, put together from its parts.
#pragma once

#include <memory>

#include "a4c/clock.h"
#include "a4c/store.h"
#include "session/postgres_options.h"

namespace a4c::postgres {

// Connects on first use: a store whose server is down answers kUnavailable.
std::unique_ptr<Store> NewPostgresStore(Options options, const Runtime& runtime);

}  // namespace a4c::postgres
