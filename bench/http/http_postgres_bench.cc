// How many jobs a second are created and read over HTTP on store-postgres: 64 connections, with
// authorisation, idempotency, outbox and audit, against pgbench with 64 clients that writes the
// same rows to the same tables as one prepared statement, and selects one by its key. Creates are
// also compared with pgbench that writes as many at once as a4cd gathered, over as many sessions as
// a4cd commits on.
//
//   http_postgres_bench create|create-alone|get [seconds per round] [rounds] [dsn]
//
// For 0 seconds: does it run? Each side does a little, whatever time that takes.
// create-alone: of both sides no commit waits for a standby.
//
// They take turns on one server, whose own settings say whether commits are synced and wait for
// a standby: they stand in the answer. a4cd has the role api alone: nothing but the requests goes
// on.
#include <algorithm>
#include <cmath>

#include "a4c/json.h"
#include "bench/support/a4cd_process.h"
#include "bench/support/create_requests.h"
#include "bench/support/create_script.h"
#include "bench/support/pgbench.h"
#include "bench/support/runtime.h"
#include "bench/support/sql.h"

namespace a4c::bench {
namespace {

constexpr int kCommitters = 2;  // database.flushers by default

class Rig {
 public:
  Rig(const std::string& dsn, const std::string& durability)
      : dsn_(dsn),
        schema_("a4c_bench_" + std::to_string(TheRuntime().random.Next())),
        sql_(dsn),
        a4cd_("roles: [api]\nstore: {plugin: store-postgres, config: {dsn: \"" + dsn +
              "\", schema: " + schema_ + ", durability: " + durability +
              "}}\nsearch: {plugin: search-memory}\nhosts: {plugin: none}\n"),
        requests_(a4cd_.key()) {}
  ~Rig() { sql_.Ask("DROP SCHEMA " + schema_ + " CASCADE"); }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  LoadResult Create(double seconds) {
    return Run(
        {.port = a4cd_.port(), .seconds = seconds, .next = [&] { return requests_.Next(); }});
  }

  LoadResult Get(double seconds) {
    if (ids_.empty()) ids_ = sql_.Ask("SELECT id FROM " + schema_ + ".job ORDER BY random()");
    return Run({.port = a4cd_.port(), .seconds = seconds, .next = [&] {
                  return RequestText("GET", "/v1/jobs/" + ids_[next_++ % ids_.size()], a4cd_.key());
                }});
  }

  double PgbenchCreate(long seconds) {
    if (create_.empty()) create_ = CreateScript(sql_, schema_);
    return Pgbench(dsn_, create_, seconds, "-D n=0 -D run=" + std::to_string(++runs_));
  }

  // Creates a second, so many in each statement.
  double PgbenchGathered(long seconds, long creates) {
    const std::string script = CreateScript(sql_, schema_, creates);
    return static_cast<double>(creates) *
           Pgbench(dsn_, script, seconds, "-D n=0 -D run=" + std::to_string(++runs_), kCommitters);
  }

  // Of the rows that pgbench's first run wrote, by their whole key, as a4cd's Get does.
  double PgbenchGet(long seconds) {
    const std::string each =
        sql_.Ask("SELECT min(rows) FROM (SELECT count(*) AS rows FROM " + schema_ +
                 ".job WHERE id LIKE '01a20001-%' GROUP BY "
                 "split_part(id, '-', 3)) AS clients")
            .at(0);
    const std::string script = "\\set n random(1, " + each +
                               ")\n\\set c random(0, 63)\nSELECT rev, tombstone, body FROM " +
                               schema_ +
                               ".job WHERE scope = 'default' AND id = " + PgbenchKey(":c") + ";\n";
    return Pgbench(dsn_, script, seconds, "-D run=1");
  }

  std::string Setting(const std::string& name) { return sql_.Ask("SHOW " + name).at(0); }
  double commits() const { return a4cd_.Metric("a4c_plugin_call_seconds_count", "call=\"Apply\""); }

 private:
  static LoadResult Run(const HttpLoad& load) {
    LoadResult result = RunHttpLoad(load);
    if (!result.refused.empty()) {
      Die("a4cd answered " + std::to_string(result.refused.begin()->first));
    }
    return result;
  }

  const std::string dsn_;
  const std::string schema_;
  Sql sql_;
  A4cdProcess a4cd_;
  CreateRequests requests_;
  std::string create_;
  int runs_ = 0;
  std::vector<std::string> ids_;
  size_t next_ = 0;
};

struct Figures {
  std::vector<double> ours, p50_ms, p99_ms, theirs, ratio, batch, gathered, gathered_ratio;

  void AddGathered(double per_second) {
    gathered.push_back(per_second);
    gathered_ratio.push_back(ours.back() / per_second);
  }
  void Add(const LoadResult& result, double pgbench) {
    ours.push_back(result.per_second);
    p50_ms.push_back(result.p50_ms);
    p99_ms.push_back(result.p99_ms);
    theirs.push_back(pgbench);
    ratio.push_back(result.per_second / pgbench);
  }
};

Figures Measure(Rig& rig, bool create, long seconds, long rounds) {
  rig.Create(1);
  rig.PgbenchCreate(seconds);
  Figures figures;
  for (long round = 0; round < rounds; ++round) {
    const double before = rig.commits();
    const auto ours = static_cast<double>(std::max(seconds, 1L));
    const LoadResult result = create ? rig.Create(ours) : rig.Get(ours);
    figures.batch.push_back(static_cast<double>(result.done) / (rig.commits() - before));
    figures.Add(result, create ? rig.PgbenchCreate(seconds) : rig.PgbenchGet(seconds));
    if (!create) continue;
    figures.AddGathered(rig.PgbenchGathered(seconds, std::lround(figures.batch.back())));
  }
  return figures;
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const std::string what = argc > 1 ? argv[1] : "create";
  const char* const known = std::getenv("A4C_TEST_POSTGRES_DSN");
  std::string dsn = argc > 4 ? argv[4] : known == nullptr ? "" : known;
  if (dsn.empty()) Die("give a connection string, or set A4C_TEST_POSTGRES_DSN");
  const bool create = what != "get";
  const bool alone = what == "create-alone";
  if (alone) dsn += " options=-csynchronous_commit=local";
  Rig rig(dsn, alone ? "single_server" : "replicated");
  const Figures figures =
      Measure(rig, create, Argument(argc, argv, 2, 5), Argument(argc, argv, 3, 5));
  a4c::Json line;
  line.Set("question", create ? "creates over HTTP on store-postgres, 64 connections, against "
                                "pgbench's prepared statement"
                              : "get by id over HTTP on store-postgres, 64 connections, against "
                                "pgbench's select");
  line.Set("per_second", Median(figures.ours)).Set("p50_ms", Median(figures.p50_ms));
  line.Set("p99_ms", Median(figures.p99_ms)).Set("pgbench_per_second", Median(figures.theirs));
  if (create) {
    line.Set("batch", Median(figures.batch)).Set("gathered_per_second", Median(figures.gathered));
    line.Set("gathered_ratio", Median(figures.gathered_ratio)).Set("reach_gathered_ratio", 0.6);
  }
  for (const char* setting : {"fsync", "synchronous_commit"}) {
    line.Set(setting, rig.Setting(setting));
  }
  line.Set("synchronous_standby_names", rig.Setting("synchronous_standby_names"));
  line.Set("ratio", Median(figures.ratio)).Set("reach_ratio", create ? 1.5 : 0.8);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}
