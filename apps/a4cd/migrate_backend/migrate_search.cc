#include <algorithm>

#include "a4c/collection.h"
#include "apps/a4cd/backends.h"
#include "apps/a4cd/jobs/kinds.h"
#include "apps/a4cd/migrate_backend/migrate_backend.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Database;
using a4c::Error;
using a4c::Json;
using a4c::Result;

constexpr int kRoundsMax = 10;

// The old store, and the index that is to come.
Settings OldStoreNewIndex(Settings from, const Settings& to) {
  from.search = to.search;
  from.bus.plugin = from.hosts.plugin = "none";
  return from;
}

void Pause(const a4c::Runtime& runtime, int64_t pause_ms) {
  const auto waiter = runtime.threads.NewWaiter();
  const int64_t until_ms = runtime.clock.MonotonicMs() + pause_ms;
  const a4c::Waiter::Lock lock(*waiter);
  while (runtime.clock.MonotonicMs() < until_ms) waiter->Wait(until_ms);
}

void Say(const MigrateOptions& options, const Json& progress) {
  if (options.progress) options.progress(progress);
}

// Writes what differs to the new index until nothing does that is not on its way.
Result<int64_t> FillUntilEqual(const Call& call, Database& database,
                               const MigrateOptions& options) {
  const std::string& kind = JobKind().name;
  for (int round = 0; round < kRoundsMax; ++round) {
    A4C_TRY(const a4c::VerifyReport report, database.Verify(call, kind));
    Say(options, Json::Object{{"phase", "proving"},
                              {"records", report.records},
                              {"drift", static_cast<int64_t>(report.drift.size())}});
    if (report.drift.empty()) return report.records;
    A4C_CHECK(database.Fill(call, kind, report.drift));
  }
  return Error(Code::kConflict, "the new index does not come to hold what the store does",
               "is somebody else writing to it?");
}

}  // namespace

Result<Json> MigrateSearch(const Settings& from, const Settings& to, const a4c::Runtime& runtime,
                           const MigrateOptions& options) {
  const Call call = Call::Within(runtime.clock, options.timeout_ms);
  const std::string& kind = JobKind().name;
  A4C_TRY(const LoadedBackends loaded, LoadBackends(OldStoreNewIndex(from, to), runtime));
  A4C_TRY(const std::string old_identity, IndexIdentity(*loaded.plugins, from.search));
  A4C_TRY(const std::string new_identity, IndexIdentity(*loaded.plugins, to.search));
  if (old_identity == new_identity) {
    return Error(Code::kInvalid, "both configs name the same search index");
  }
  Database database(loaded.ForDatabase(), runtime, from.database);
  A4C_CHECK(database.Open(call, AllCollections()));
  if (options.back) {
    A4C_CHECK(database.RetireIndex(call, kind, ""));
    return Json(Json::Object{{"phase", "back"}});
  }
  A4C_CHECK(database.Fill(call, kind, {}, [&](int64_t records) {
    Say(options, Json::Object{{"phase", "copying"}, {"kind", kind}, {"records", records}});
    return Result<void>();
  }));
  A4C_TRY(int64_t records, FillUntilEqual(call, database, options));
  if (!options.cut_over) {
    return Json(Json::Object{{"phase", "copied"}, {"records", records}});
  }
  A4C_CHECK(database.RetireIndex(call, kind, old_identity));
  Say(options, Json::Object{{"phase", "waiting"}, {"ms", options.steps_end_ms}});
  Pause(runtime, options.steps_end_ms);
  A4C_TRY(records, FillUntilEqual(call, database, options));
  return Json(Json::Object{{"phase", "cut over"}, {"records", records}});
}

}  // namespace a4cd
