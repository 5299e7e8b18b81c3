// What both benchmarks of store-postgres write: a record, its outbox row, an idempotency row and an
// audit row, with three secondary indexes between them, in a schema of the run's own.
#pragma once

#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "a4c/plugin_host.h"
#include "a4c/store.h"
#include "bench/support/runtime.h"

namespace a4c::bench {

inline constexpr const char* kBody =
    R"({"state":"pending","kind":"command.run","title":"bench","due":1800000000000,"labels":{"team":"infra"}})";
inline constexpr const char* kAnswer = R"({"request":"7f3c2a","status":201,"rev":1})";

inline constexpr const char* kAudit =
    R"({"who":"key-7f3c","what":"job.create","subject":"018f6b0e","at":1800000000000})";

inline std::vector<Kind> RowKinds() {
  return {{.name = "record",
           .fields = {{.name = "state"}, {.name = "due", .type = FieldType::kTime}},
           .indexes = {{.name = "by_state", .fields = {"state", "due"}}}},
          {.name = "outbox",
           .fields =
               {{.name = "since", .type = FieldType::kTime, .quiet = true, .merge = Merge::kKeep},
                {.name = "next_at", .type = FieldType::kTime, .quiet = true, .merge = Merge::kMin}},
           .indexes = {{.name = "by_next", .fields = {"next_at"}, .scoped = false}}},
          {.name = "idempotency",
           .fields = {{.name = "created", .type = FieldType::kTime, .quiet = true}},
           .indexes = {{.name = "by_created", .fields = {"created"}, .scoped = false}}},
          {.name = "audit", .fields = {}, .indexes = {}}};
}

inline WriteBatch RowsOf(const std::string& id) {
  return {{Put{.ref = {"record", {"t", id}}, .body = kBody, .expect = Expect::Absent()},
           Put{.ref = {"outbox", {"t", id}},
               .body = "{}",
               .quiet = {{"since", int64_t{1}}, {"next_at", int64_t{2}}}},
           Put{.ref = {"idempotency", {"t", id}},
               .body = kAnswer,
               .quiet = {{"created", int64_t{3}}},
               .expect = Expect::Absent()},
           Put{.ref = {"audit", {"t", id}}, .body = kAudit, .expect = Expect::Absent()}}};
}

// The plugin as production has it: through the loader, guarded. Its schema goes with it.
class Rig {
 public:
  explicit Rig(const std::string& dsn)
      : schema("a4c_bench_" + std::to_string(TheRuntime().random.Next())),
        sql(PQconnectdb(dsn.c_str()), PQfinish),
        host_(TheRuntime(), {}) {
    if (PQstatus(sql.get()) != CONNECTION_OK) Die(PQerrorMessage(sql.get()));
    auto made = host_.MakeStore(A4C_STORE_POSTGRES,
                                ConfigValue::Map({{"dsn", ConfigValue::Scalar(dsn)},
                                                  {"schema", ConfigValue::Scalar(schema)}}));
    if (!made) Die(made.error().ToString());
    store = *std::move(made);
    const auto ensured = store->Ensure(Call::Within(TheRuntime().clock, 60'000), RowKinds());
    if (!ensured) Die(ensured.error().ToString());
  }
  ~Rig() {
    store.reset();
    PQclear(PQexec(sql.get(), ("DROP SCHEMA IF EXISTS " + schema + " CASCADE").c_str()));
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  [[noreturn]] static void Die(const std::string& why) {
    std::fprintf(stderr, "store_postgres bench: %s\n", why.c_str());
    std::exit(1);
  }

  // Dies unless all are applied.
  static void Apply(Store& to, std::span<const WriteBatch> batches) {
    const auto answer = to.Apply(Call::Within(TheRuntime().clock, 60'000), batches);
    if (!answer) Die(answer.error().ToString());
    for (const BatchResult& result : answer->results) {
      if (result.outcome != BatchOutcome::kApplied) Die("a batch was not applied");
    }
  }

  const std::string schema;
  const std::unique_ptr<PGconn, decltype(&PQfinish)> sql;
  std::unique_ptr<Store> store;

 private:
  PluginHost host_;
};

// The argument, or the environment's.
inline std::string DsnOf(int argc, char** argv) {
  if (argc > 1) return argv[1];
  const char* dsn = std::getenv("A4C_TEST_POSTGRES_DSN");
  if (dsn == nullptr) Rig::Die("give a connection string, or set A4C_TEST_POSTGRES_DSN");
  return dsn;
}

}  // namespace a4c::bench
