// How many jobs a second are created over HTTP on store-sqlite, with authorisation, idempotency,
// outbox and audit: 64 connections, against a loop over SQLite's C interface that commits the very
// same rows in batches of the size that a4cd's commits reached. And how long a lone create takes,
// against a lone commit of that loop.
//
//   http_sqlite_bench [milliseconds per round] [rounds]
//
// The two take turns. a4cd has the role api alone: nothing but creates goes on.
#include <sqlite3.h>

#include <algorithm>
#include <cmath>

#include "a4c/json.h"
#include "bench/support/a4cd_process.h"
#include "bench/support/create_requests.h"
#include "bench/support/runtime.h"

namespace a4c::bench {
namespace {

using Handle = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;
using Value = std::unique_ptr<sqlite3_value, decltype(&sqlite3_value_free)>;
using Row = std::vector<Value>;

Handle Open(const std::filesystem::path& path) {
  sqlite3* handle = nullptr;
  if (sqlite3_open(path.c_str(), &handle) != SQLITE_OK) Die("sqlite3_open failed");
  return {handle, sqlite3_close};
}

void Execute(const Handle& handle, const std::string& sql) {
  char* why = nullptr;
  if (sqlite3_exec(handle.get(), sql.c_str(), nullptr, nullptr, &why) != SQLITE_OK) {
    Die(sql + ": " + (why == nullptr ? "" : why));
  }
}

Statement Prepare(const Handle& handle, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    Die(sql + ": " + sqlite3_errmsg(handle.get()));
  }
  return {statement, sqlite3_finalize};
}

std::vector<Row> Rows(const Handle& handle, const std::string& sql) {
  const Statement statement = Prepare(handle, sql);
  std::vector<Row> rows;
  while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    Row& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
      row.emplace_back(sqlite3_value_dup(sqlite3_column_value(statement.get(), i)),
                       sqlite3_value_free);
    }
  }
  return rows;
}

std::string TextOf(const Value& value) {
  return reinterpret_cast<const char*>(sqlite3_value_text(value.get()));
}

// What a4cd wrote of one round: the tables that have a row for each create (job, outbox,
// idempotency, audit), with the statements that write them again.
struct Written {
  std::vector<std::string> schema;
  std::vector<std::string> inserts;
  std::vector<std::vector<Row>> rows;  // by table

  size_t creates() const { return rows[0].size(); }
};

Written Read(const std::filesystem::path& path) {
  const Handle handle = Open(path);
  Written written;
  for (const Row& row : Rows(handle,
                             "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT "
                             "LIKE 'sqlite_%' ORDER BY type DESC")) {
    written.schema.push_back(TextOf(row[0]));
  }
  const size_t creates = Rows(handle, "SELECT id FROM k_job").size();
  for (const Row& row : Rows(handle,
                             "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE "
                             "'k\\_%' ESCAPE '\\'")) {
    const std::string table = "\"" + TextOf(row[0]) + "\"";
    std::vector<Row> rows = Rows(handle, "SELECT * FROM " + table + " ORDER BY rowid");
    if (rows.size() != creates || rows.empty()) continue;
    written.rows.push_back(std::move(rows));
    std::string places = "?";
    for (size_t i = 1; i < written.rows.back()[0].size(); ++i) places += ", ?";
    written.inserts.push_back("INSERT INTO " + table + " VALUES (" + places + ")");
  }
  if (written.rows.size() < 3) Die("creates left fewer rows than a job, an outbox and a key");
  return written;
}

struct LoopRate {
  double per_second = 0;
  double commit_p50_ms = 0;
};

// The same rows into a new file beside it, `batch` creates in a commit, with a4cd's settings.
LoopRate RunLoop(const Written& written, const std::filesystem::path& path, size_t batch,
                 size_t creates) {
  const Handle handle = Open(path);
  Execute(handle, "PRAGMA journal_mode = WAL");
  Execute(handle, "PRAGMA synchronous = FULL");
  Execute(handle, "PRAGMA cache_size = -16384");
  for (const std::string& sql : written.schema) Execute(handle, sql);
  std::vector<Statement> inserts;
  for (const std::string& sql : written.inserts) inserts.push_back(Prepare(handle, sql));
  std::vector<double> commits;
  const double start = Seconds();
  for (size_t at = 0; at < creates; at += batch) {
    const double begun = Seconds();
    Execute(handle, "BEGIN IMMEDIATE");
    for (size_t i = at; i < std::min(at + batch, creates); ++i) {
      for (size_t table = 0; table < inserts.size(); ++table) {
        sqlite3_stmt* insert = inserts[table].get();
        int place = 0;
        for (const Value& value : written.rows[table][i]) {
          sqlite3_bind_value(insert, ++place, value.get());
        }
        if (sqlite3_step(insert) != SQLITE_DONE) Die(sqlite3_errmsg(handle.get()));
        sqlite3_reset(insert);
      }
    }
    Execute(handle, "COMMIT");
    commits.push_back(Seconds() - begun);
  }
  const double elapsed = Seconds() - start;
  inserts.clear();
  return {static_cast<double>(creates) / elapsed, Median(commits) * 1e3};
}

struct Figures {
  std::vector<double> ours, loop, ratio, batch, p99_ms, lone_p50_ms, lone_commit_ms;
};

double Commits(const A4cdProcess& a4cd) {
  return a4cd.Metric("a4c_plugin_call_seconds_count", "call=\"Apply\"");
}

void Round(double seconds, Figures& figures) {
  A4cdProcess a4cd(
      "roles: [api]\nstore: {plugin: store-sqlite, config: {path: @/a4cd.db}}\n"
      "search: {plugin: search-memory}\nhosts: {plugin: none}\n");
  CreateRequests requests(a4cd.key());
  HttpLoad load{.port = a4cd.port(), .seconds = seconds, .next = [&] { return requests.Next(); }};
  load.connections = 1;
  load.seconds = std::min(seconds, 2.0);
  figures.lone_p50_ms.push_back(RunHttpLoad(load).p50_ms);
  load.connections = 64;
  load.seconds = seconds;
  const double before = Commits(a4cd);
  const LoadResult many = RunHttpLoad(load);
  const double batch = static_cast<double>(many.done) / (Commits(a4cd) - before);
  if (!many.refused.empty()) Die("a4cd refused a create");

  const Written written = Read(a4cd.directory() / "a4cd.db");
  const auto size = static_cast<size_t>(std::lround(std::max(batch, 1.0)));
  const LoopRate loop = RunLoop(written, a4cd.directory() / "loop.db", size, written.creates());
  const LoopRate lone =
      RunLoop(written, a4cd.directory() / "lone.db", 1, std::min<size_t>(written.creates(), 2000));
  figures.ours.push_back(many.per_second);
  figures.loop.push_back(loop.per_second);
  figures.ratio.push_back(many.per_second / loop.per_second);
  figures.batch.push_back(batch);
  figures.p99_ms.push_back(many.p99_ms);
  figures.lone_commit_ms.push_back(lone.commit_p50_ms);
}

}  // namespace
}  // namespace a4c::bench

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const double seconds = static_cast<double>(Argument(argc, argv, 1, 3000)) / 1000;
  const long rounds = Argument(argc, argv, 2, 5);
  Figures figures;
  for (long round = 0; round < rounds; ++round) Round(seconds, figures);
  a4c::Json line;
  line.Set("question", "creates over HTTP on store-sqlite, 64 connections, against a C loop");
  line.Set("per_second", Median(figures.ours)).Set("loop_per_second", Median(figures.loop));
  line.Set("batch", Median(figures.batch)).Set("p99_ms", Median(figures.p99_ms));
  line.Set("lone_p50_ms", Median(figures.lone_p50_ms));
  line.Set("lone_commit_ms", Median(figures.lone_commit_ms));
  line.Set("lone_reach_ms", Median(figures.lone_commit_ms) + 0.3);
  line.Set("ratio", Median(figures.ratio)).Set("reach_ratio", 0.5);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}
