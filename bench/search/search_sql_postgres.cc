// The half on PostgreSQL.
#include <libpq-fe.h>

#include "bench/search/search_sql_contest.h"
#include "plugins/search-postgres/postgres_query.h"

namespace a4c::bench {
namespace {

using search_postgres::Layout;
using search_postgres::Statement;

constexpr const char* kSchema = "a4c_bench_search";

class Bare {
 public:
  explicit Bare(const std::string& dsn) : connection_(PQconnectdb(dsn.c_str()), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) Die(PQerrorMessage(connection_.get()));
    Run("SET client_min_messages = warning");
    Run("SET jit = off");
  }

  void Run(const std::string& sql) {
    PGresult* result = PQexec(connection_.get(), sql.c_str());
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) Die(PQerrorMessage(connection_.get()));
    PQclear(result);
  }

  // In one pipeline; answers the results of statements, in order.
  std::vector<PGresult*> Pipeline(const std::vector<Statement>& statements) {
    PQenterPipelineMode(connection_.get());
    for (const Statement& statement : statements) Send(statement);
    PQpipelineSync(connection_.get());
    std::vector<PGresult*> results;
    for (size_t i = 0; i < statements.size(); ++i) {
      results.push_back(PQgetResult(connection_.get()));
      if (PQresultStatus(results.back()) == PGRES_FATAL_ERROR) {
        Die(PQerrorMessage(connection_.get()));
      }
      PQgetResult(connection_.get());  // the null behind it
    }
    PQclear(PQgetResult(connection_.get()));
    PQexitPipelineMode(connection_.get());
    return results;
  }

 private:
  void Send(const Statement& statement) {
    std::vector<const char*> values;
    for (const auto& param : statement.params) values.push_back(param->c_str());
    PQsendQueryParams(connection_.get(), statement.sql.c_str(), static_cast<int>(values.size()),
                      nullptr, values.data(), nullptr, nullptr, 0);
  }

  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

std::string TextOf(const PGresult* result, int row, int column) {
  return {PQgetvalue(result, row, column), static_cast<size_t>(PQgetlength(result, row, column))};
}

Found Read(const PGresult* page, const PGresult* counts, int limit) {
  std::vector<Hit> hits;
  for (int row = 0; row < std::min(PQntuples(page), limit); ++row) {
    Hit hit;
    hit.ref.key = {TextOf(page, row, 0), TextOf(page, row, 1)};
    hit.rev = std::stoll(TextOf(page, row, 2));
    hit.body = TextOf(page, row, 3);
    hits.push_back(std::move(hit));
  }
  Found found{hits.size(), 0};
  std::vector<std::pair<std::string, int64_t>> values;
  for (int row = 0; row < PQntuples(counts); ++row) {
    const int64_t count = std::stoll(TextOf(counts, row, 2));
    if (TextOf(counts, row, 0) == "-1") {
      found.total = count;
    } else {
      values.emplace_back(TextOf(counts, row, 1), count);
    }
  }
  return found;
}

Side BareSearch(Bare& bare, const Layout& layout, const SearchRequest& request,
                const SearchPlan& plan) {
  const std::vector<Statement> statements = {
      {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
      OrDie(PageSql(layout, plan, request.scope, request.limit)).Numbered(),
      OrDie(CountsSql(layout, plan, request.scope)).Numbered(),
      {"COMMIT"}};
  return SideOf([&bare, statements, limit = request.limit] {
    const std::vector<PGresult*> results = bare.Pipeline(statements);
    const Found found = Read(results[1], results[2], limit);
    for (PGresult* result : results) PQclear(result);
    return found;
  });
}

}  // namespace

Json ComparePostgres(PluginHost& plugins, const std::string& dsn, int64_t documents, long rounds) {
  Bare bare(dsn);
  bare.Run(std::string("DROP SCHEMA IF EXISTS ") + kSchema + " CASCADE");
  Json lines;
  {
    const ConfigValue config = ConfigValue::Map(
        {{"dsn", ConfigValue::Scalar(dsn)}, {"schema", ConfigValue::Scalar(kSchema)}});
    const auto index = OrDie(plugins.MakeSearchIndex(A4C_SEARCH_POSTGRES, config));
    FillWithJobs(*index, documents);
    Layout layout{.schema = kSchema, .kind = "job"};
    for (const Field& field : a4cd::JobKind().fields) layout.fields[field.name] = field.type;
    bare.Run("VACUUM ANALYZE " + layout.Table());
    const A4cdProcess a4cd(
        "roles: [api]\nstore: {plugin: store-sqlite, config: {path: @/a4cd.db}}\n"
        "search: {plugin: search-postgres, config: {dsn: \"" +
        dsn + "\", schema: " + kSchema + "}}\nhosts: {plugin: none}\n");
    lines = CompareAll(
        *index, a4cd,
        [&](const SearchRequest& request, const SearchPlan& plan) {
          return BareSearch(bare, layout, request, plan);
        },
        rounds);
  }
  bare.Run(std::string("DROP SCHEMA ") + kSchema + " CASCADE");
  return lines;
}

}  // namespace a4c::bench
