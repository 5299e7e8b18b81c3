#include "a4c/plugin.h"

#include "postgres_keys.h"
#include "postgres_store.h"
#include "session/postgres_options.h"

namespace {

a4c::Result<std::unique_ptr<a4c::Store>> Make(const a4c::Config& config,
                                              const a4c::Runtime& runtime) {
  A4C_TRY(a4c::postgres::Options options, a4c::postgres::ReadOptions(config));
  return a4c::postgres::NewPostgresStore(std::move(options), runtime);
}

}  // namespace

A4C_PLUGIN(Store, "store-postgres", "keeps records in PostgreSQL", a4c::postgres::kKeys,
           a4c::kNothingAbsent, Make);
