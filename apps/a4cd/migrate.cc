#include "apps/a4cd/migrate.h"

#include "a4c/collection.h"
#include "a4c/migrations.h"
#include "apps/a4cd/backends.h"
#include "apps/a4cd/jobs/kinds.h"

namespace a4cd {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

Result<LoadedBackends> LoadStore(const Settings& settings, const a4c::Runtime& runtime) {
  Settings store_only = settings;
  store_only.bus.plugin = "none";
  store_only.search.plugin = "none";
  store_only.hosts.plugin = "none";
  return LoadBackends(store_only, runtime);
}

}  // namespace

Result<void> Migrate(const Settings& settings, const a4c::Runtime& runtime) {
  A4C_TRY(const LoadedBackends backends, LoadStore(settings, runtime));
  return backends.store->Ensure(Call::Within(runtime.clock, settings.migrate_timeout_ms),
                                a4c::StoredKinds(AllCollections()));
}

Result<std::vector<std::string>> PlanMigration(const Settings& settings,
                                               const a4c::Runtime& runtime) {
  A4C_TRY(const LoadedBackends backends, LoadStore(settings, runtime));
  auto* migrations = backends.store->As<a4c::Migrations>();
  if (migrations == nullptr) {
    return Error(Code::kUnsupported, settings.store.plugin + " cannot tell what it would change",
                 "leave --dry-run out, or use store-postgres");
  }
  return migrations->Plan(Call::Within(runtime.clock, settings.migrate_timeout_ms),
                          a4c::StoredKinds(AllCollections()));
}

}  // namespace a4cd
