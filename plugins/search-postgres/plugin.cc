#include "a4c/plugin.h"

#include "postgres_index.h"
#include "postgres_options.h"

namespace {

a4c::Result<std::unique_ptr<a4c::SearchIndex>> Make(const a4c::Config& config,
                                                    const a4c::Runtime& runtime) {
  A4C_TRY(a4c::search_postgres::Options options, a4c::search_postgres::ReadOptions(config));
  return a4c::search_postgres::NewPostgresIndex(std::move(options), runtime);
}

}  // namespace

A4C_PLUGIN(SearchIndex, "search-postgres", "searches in PostgreSQL", a4c::search_postgres::kKeys,
           a4c::kNothingAbsent, Make);
