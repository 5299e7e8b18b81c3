// What writing through the plugin costs, against libpq writing the same rows by itself: prepared
// single-row INSERTs in one pipeline and one transaction, on the same tables.
//
//   store_postgres_tax_bench [dsn] [calls per round] [rounds]
//
// One client, one call at a time; the two take turns, and begin in turn. Each figure is the median
// over the rounds. `single` writes one batch of four rows a call, `fifty` fifty batches a call.
#include <algorithm>
#include <array>

#include "a4c/json.h"
#include "bench/store/store_postgres_rows.h"

namespace a4c::bench {
namespace {

class BareClient {
 public:
  BareClient(PGconn* connection, const std::string& schema) : connection_(connection) {
    Prepare("record", "INSERT INTO " + schema +
                          ".record (scope, id, rev, tombstone, body, kind_version, f_state, f_due) "
                          "VALUES ('t', $1, 1, false, $2::json, 1, 'pending', 1800000000000)");
    Prepare("outbox",
            "INSERT INTO " + schema +
                ".outbox (scope, id, rev, tombstone, body, kind_version, q_since, q_next_at) "
                "VALUES ('t', $1, 1, false, $2::json, 1, 1, 2)");
    Prepare("idempotency", "INSERT INTO " + schema +
                               ".idempotency (scope, id, rev, tombstone, body, kind_version, "
                               "q_created) VALUES ('t', $1, 1, false, $2::json, 1, 3)");
    Prepare("audit", "INSERT INTO " + schema +
                         ".audit (scope, id, rev, tombstone, body, kind_version) VALUES ('t', $1, "
                         "1, false, $2::json, 1)");
  }

  void Write(const std::vector<std::string>& ids) {
    PQenterPipelineMode(connection_);
    for (const std::string& id : ids) {
      Send("record", id, kBody);
      Send("outbox", id, "{}");
      Send("idempotency", id, kAnswer);
      Send("audit", id, kAudit);
    }
    PQpipelineSync(connection_);
    for (;;) {
      PGresult* result = PQgetResult(connection_);
      const ExecStatusType status = PQresultStatus(result);
      if (result != nullptr && status == PGRES_FATAL_ERROR) Rig::Die(PQerrorMessage(connection_));
      PQclear(result);
      if (result != nullptr && status == PGRES_PIPELINE_SYNC) break;
    }
    PQexitPipelineMode(connection_);
  }

 private:
  void Prepare(const char* name, const std::string& sql) {
    PGresult* result = PQprepare(connection_, name, sql.c_str(), 0, nullptr);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) Rig::Die(PQerrorMessage(connection_));
    PQclear(result);
  }
  void Send(const char* name, const std::string& id, const char* body) {
    const std::array<const char*, 2> values = {id.c_str(), body};
    if (PQsendQueryPrepared(connection_, name, 2, values.data(), nullptr, nullptr, 0) != 1) {
      Rig::Die(PQerrorMessage(connection_));
    }
  }

  PGconn* const connection_;
};

class Contest {
 public:
  explicit Contest(Rig& rig) : rig_(rig), bare_(rig.sql.get(), rig.schema) {}

  Json Run(size_t batches, long calls, long rounds) {
    std::vector<double> plugin;
    std::vector<double> bare;
    for (long round = 0; round < rounds; ++round) {
      if (round % 2 == 0) plugin.push_back(Plugin(batches, calls));
      bare.push_back(Bare(batches, calls));
      if (round % 2 == 1) plugin.push_back(Plugin(batches, calls));
    }
    const double ours = Median(plugin) / static_cast<double>(calls) * 1e6;
    const double theirs = Median(bare) / static_cast<double>(calls) * 1e6;
    Json line;
    line.Set("plugin_us", ours).Set("libpq_us", theirs).Set("ratio", ours / theirs);
    return line;
  }

 private:
  std::vector<std::string> NextIds(size_t count) {
    std::vector<std::string> made;
    for (size_t i = 0; i < count; ++i) made.push_back(ids_.Next());
    return made;
  }

  double Plugin(size_t count, long calls) {
    const double start = Seconds();
    for (long call = 0; call < calls; ++call) {
      std::vector<WriteBatch> batches;
      for (const std::string& id : NextIds(count)) batches.push_back(RowsOf(id));
      Rig::Apply(*rig_.store, batches);
    }
    return Seconds() - start;
  }

  double Bare(size_t count, long calls) {
    const double start = Seconds();
    for (long call = 0; call < calls; ++call) bare_.Write(NextIds(count));
    return Seconds() - start;
  }

  static double Median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
  }

  Rig& rig_;
  BareClient bare_;
  IdSource ids_{TheRuntime().clock, TheRuntime().random};
};

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  Rig rig(DsnOf(argc, argv));
  const long calls = Argument(argc, argv, 2, 200);
  const long rounds = Argument(argc, argv, 3, 9);
  Contest contest(rig);
  a4c::Json line;
  line.Set("question", "what Apply through store-postgres costs against bare libpq");
  line.Set("single", contest.Run(1, calls, rounds));
  line.Set("fifty", contest.Run(50, std::max(calls / 10, 1L), rounds)).Set("reach_ratio", 1.15);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}
