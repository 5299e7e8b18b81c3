// Committer: brings groups through the lanes, and gives each batch a fate of its own.
#pragma once

#include <memory>

#include "a4c/clock.h"
#include "postgres_options.h"
#include "postgres_pool.h"
#include "postgres_queue.h"

namespace a4c::postgres {

// pool and options outlive it.
std::unique_ptr<GroupWriter> NewCommitter(SessionPool& pool, const Options& options,
                                          const Runtime& runtime);

}  // namespace a4c::postgres
