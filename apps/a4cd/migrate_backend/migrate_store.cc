#include <algorithm>

#include "a4c/digests.h"
#include "a4c/store_copy.h"
#include "apps/a4cd/backends.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/migrate_backend/migrate_backend.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Kind;
using a4c::Result;
using a4c::Store;
using a4c::StoreCopyReport;

constexpr int kPassesMax = 10;

Settings StoreOnly(Settings settings) {
  settings.bus.plugin = settings.search.plugin = settings.hosts.plugin = "none";
  return settings;
}

class Migration {
 public:
  Migration(const Call& call, Store& from, Store& to, const MigrateOptions& options)
      : call_(call),
        from_(from),
        to_(to),
        options_(options),
        kinds_(a4c::StoredKinds(AllCollections())) {}

  Result<StoreCopyReport> Pass() {
    StoreCopyReport all;
    for (const Kind& kind : kinds_) {
      A4C_TRY(const StoreCopyReport report,
              a4c::CopyKind(call_, from_, to_, kind, [&](const StoreCopyReport& so_far) {
                Say(kind.name, so_far);
                return Result<void>();
              }));
      all.records += report.records;
      all.written += report.written;
      all.removed += report.removed;
    }
    return all;
  }

  // Until a pass finds nothing to do: then the two are equal, as nobody writes.
  Result<StoreCopyReport> PassesUntilEqual() {
    for (int pass = 0; pass < kPassesMax; ++pass) {
      A4C_TRY(const StoreCopyReport report, Pass());
      if (report.written + report.removed == 0) return report;
    }
    return Error(Code::kConflict, "the old store is still being written to",
                 "stop every instance of a4cd, and run this again");
  }

  Result<void> Prove() {
    const auto old_sums = a4c::NewStoreDigests(from_);
    const auto new_sums = a4c::NewStoreDigests(to_);
    for (const Kind& kind : kinds_) {
      if (kind.name == "sync_task") continue;  // the mark of the old store stays behind
      // The last pass has compared every record of these; what the old store has forgotten since it
      // was copied stays in the new one until it ends by age there too.
      if (kind.append_only) continue;
      A4C_TRY(const a4c::DigestSums before, old_sums->Sums(call_, kind));
      A4C_TRY(const a4c::DigestSums after, new_sums->Sums(call_, kind));
      if (before == after) continue;
      return Error(Code::kConflict, "the digests of kind " + kind.name + " differ",
                   "stop every instance of a4cd, and run this again");
    }
    return {};
  }

 private:
  void Say(const std::string& kind, const StoreCopyReport& so_far) const {
    if (!options_.progress) return;
    options_.progress(Json::Object{{"phase", "copying"},
                                   {"kind", kind},
                                   {"records", so_far.records},
                                   {"written", so_far.written},
                                   {"removed", so_far.removed}});
  }

  const Call& call_;
  Store& from_;
  Store& to_;
  const MigrateOptions& options_;
  const std::vector<Kind> kinds_;
};

Json LastWord(const char* phase, const StoreCopyReport& report) {
  return Json::Object{{"phase", phase},
                      {"records", report.records},
                      {"written", report.written},
                      {"removed", report.removed}};
}

}  // namespace

Result<Json> MigrateStore(const Settings& from, const Settings& to, const a4c::Runtime& runtime,
                          const MigrateOptions& options) {
  const Call call = Call::Within(runtime.clock, options.timeout_ms);
  A4C_TRY(const LoadedBackends old_ones, LoadBackends(StoreOnly(from), runtime));
  A4C_CHECK(old_ones.store->Ensure(call, a4c::StoredKinds(AllCollections())));
  if (options.back) {
    A4C_CHECK(a4c::MarkStoreMoved(call, *old_ones.store, ""));
    return LastWord("back", {});
  }
  A4C_TRY(const LoadedBackends new_ones, LoadBackends(StoreOnly(to), runtime));
  A4C_CHECK(new_ones.store->Ensure(call, a4c::StoredKinds(AllCollections())));
  Migration migration(call, *old_ones.store, *new_ones.store, options);
  if (!options.cut_over) {
    A4C_TRY(const StoreCopyReport copied, migration.Pass());
    return LastWord("copied", copied);
  }
  A4C_CHECK(a4c::MarkStoreMoved(call, *old_ones.store, to.store.plugin));
  A4C_TRY(const StoreCopyReport equal, migration.PassesUntilEqual());
  A4C_CHECK(migration.Prove());
  return LastWord("cut over", equal);
}

}  // namespace a4cd
