// What a search of search-sqlite and search-postgres costs, through the plugin and over HTTP
// through an a4cd, against the same SQL through the C API of each: sqlite3_step, and PQexecParams
// with the statements in one pipeline.
//
//   search_sql_bench [documents] [rounds] [dsn | none]
//
// Without a dsn A4C_TEST_POSTGRES_DSN counts; with neither, or none, only SQLite is asked. Figures
// are medians; `total` is how many documents a question finds. One search at a time.
#include "bench/search/search_sql_contest.h"

int main(int argc, char** argv) {
  using namespace a4c::bench;
  const int64_t documents = argc > 1 ? std::atol(argv[1]) : 100'000;
  const long rounds = argc > 2 ? std::atol(argv[2]) : 200;
  const char* dsn = argc > 3 ? argv[3] : std::getenv("A4C_TEST_POSTGRES_DSN");
  a4c::PluginHost plugins(TheRuntime(), {});
  a4c::Json line;
  line.Set(
      "question",
      "what a search costs, over HTTP and in the plugin, against the same SQL through the C API");
  line.Set("documents", documents).Set("rounds", static_cast<int64_t>(rounds));
  line.Set("sqlite", CompareSqlite(plugins, documents, rounds));
  if (dsn != nullptr && std::string(dsn) != "none")
    line.Set("postgres", ComparePostgres(plugins, dsn, documents, rounds));
  line.Set("reach_ratio", 1.5);
  std::printf("%s\n", line.ToString().c_str());
  return 0;
}
