// How many records a second 64 callers create, each with its outbox, idempotency and audit row,
// through core's group commit and store-postgres, against pgbench with 64 clients writing the same
// rows to the same tables as one prepared statement.
//
//   store_postgres_create_bench [dsn] [seconds per round] [rounds] [flushers]
//
// For 0 seconds: does it run? Each side does a little, whatever time that takes.
//
// The two take turns. Whether commits are synced is the server's own setting.
#include <algorithm>
#include <atomic>

#include "a4c/group_commit.h"
#include "a4c/json.h"
#include "bench/store/store_postgres_rows.h"
#include "bench/support/pgbench.h"

namespace a4c::bench {
namespace {

constexpr int kClients = 64;

// Latencies are sampled by the callers themselves.
struct Rate {
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

Rate Plugin(Store& store, IdSource& ids, double seconds) {
  std::vector<std::vector<double>> took(kClients);
  const double start = Seconds();
  {
    std::vector<std::unique_ptr<Thread>> threads;
    for (std::vector<double>& times : took) {
      threads.push_back(TheRuntime().threads.Start("client", [&](const std::stop_token&) {
        while (Seconds() - start < seconds) {
          const double before = Seconds();
          const WriteBatch batch = RowsOf(ids.Next());
          Rig::Apply(store, {&batch, 1});
          times.push_back(Seconds() - before);
        }
      }));
    }
  }
  const double elapsed = Seconds() - start;
  std::vector<double> all;
  for (const std::vector<double>& times : took) all.insert(all.end(), times.begin(), times.end());
  std::ranges::sort(all);
  return {static_cast<double>(all.size()) / elapsed, all[all.size() / 2] * 1e3,
          all[all.size() * 99 / 100] * 1e3};
}

// In the order of time, as the plugin's callers make them: random ones are slower to insert.
constexpr const char* kId =
    "to_hex((extract(epoch FROM now()) * 1000000)::bigint) || '-7c1a-' || :n";

std::string Insert(const std::string& table, const std::string& body, const std::string& columns,
                   const std::string& values) {
  return "INSERT INTO " + table + " (scope, id, rev, tombstone, body, kind_version" + columns +
         ") VALUES ('t', " + kId + ", 1, false, '" + body + "', 1" + values + ")";
}

std::string Script(const std::string& schema) {
  return "\\set n random(1, 9000000000000000000)\n"
         "WITH r AS (" +
         Insert(schema + ".record", kBody, ", f_state, f_due", ", 'pending', 1800000000000") +
         "), o AS (" + Insert(schema + ".outbox", "{}", ", q_since, q_next_at", ", 1, 2") +
         "), a AS (" + Insert(schema + ".audit", kAudit, "", "") + ") " +
         Insert(schema + ".idempotency", kAnswer, ", q_created", ", 3") + ";\n";
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const std::string dsn = DsnOf(argc, argv);
  const long seconds = Argument(argc, argv, 2, 5);
  const long rounds = Argument(argc, argv, 3, 3);
  Rig rig(dsn);
  const a4c::GroupCommitOptions options{.flushers = static_cast<int>(Argument(argc, argv, 4, 2))};
  const std::unique_ptr<a4c::Store> grouped =
      a4c::NewGroupCommit(*rig.store, TheRuntime(), options);
  a4c::IdSource ids(TheRuntime().clock, TheRuntime().random);
  const std::string script = Script(rig.schema);
  std::vector<double> ours;
  std::vector<double> p50;
  std::vector<double> p99;
  std::vector<double> theirs;
  for (long round = 0; round < rounds; ++round) {
    const Rate rate = Plugin(*grouped, ids, static_cast<double>(std::max(seconds, 1L)));
    ours.push_back(rate.per_second);
    p50.push_back(rate.p50_ms);
    p99.push_back(rate.p99_ms);
    theirs.push_back(Pgbench(dsn, script, seconds));
  }
  a4c::Json line;
  line.Set("question", "how fast 64 callers create through store-postgres against pgbench");
  line.Set("plugin_per_second", Median(ours)).Set("p50_ms", Median(p50)).Set("p99_ms", Median(p99));
  line.Set("pgbench_per_second", Median(theirs)).Set("ratio", Median(ours) / Median(theirs));
  std::printf("%s\n", line.Set("reach_ratio", 1.5).ToString().c_str());
  return 0;
}
