// A connection to PostgreSQL for benchmarks, which die of an error.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/support/runtime.h"

namespace a4c::bench {

class Sql {
 public:
  explicit Sql(const std::string& dsn) : connection_(PQconnectdb(dsn.c_str()), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) Die(PQerrorMessage(connection_.get()));
    Ask("SET client_min_messages = warning");
  }

  // The first column of the rows.
  std::vector<std::string> Ask(const std::string& statement) {
    PGresult* result = PQexec(connection_.get(), statement.c_str());
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
      Die(statement + ": " + PQerrorMessage(connection_.get()));
    }
    std::vector<std::string> values;
    for (int i = 0; i < PQntuples(result); ++i) values.emplace_back(PQgetvalue(result, i, 0));
    PQclear(result);
    return values;
  }

 private:
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace a4c::bench
