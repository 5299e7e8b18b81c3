// What the two halves of search_sql_bench share: questions, and how times are compared.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/plugin_host.h"
#include "a4c/search_index.h"
#include "a4c/search_plan.h"
#include "bench/support/a4cd_process.h"
#include "bench/support/job_documents.h"
#include "bench/support/runtime.h"

namespace a4c::bench {

struct SqlQuestion {
  const char* name;
  std::string query;
  std::vector<std::string> facets;
  SearchRequest request;
};

std::vector<SqlQuestion> SqlQuestions();

// Who answers a question. `ask` is what is timed; `found` looks into its last answer.
struct Found {
  size_t hits = 0;
  int64_t total = 0;
  bool operator==(const Found&) const = default;
};
struct Side {
  std::function<void()> ask;
  std::function<Found()> found;
};
// Of the one who finds something each time it asks.
Side SideOf(std::function<Found()> ask);

// The answers to all questions: the index through its plugin and through an a4cd over it, and the
// bare side. All three ask in turn, and begin in turn.
using BareFor = std::function<Side(const SearchRequest& request, const SearchPlan& plan)>;
Json CompareAll(SearchIndex& index, const A4cdProcess& a4cd, const BareFor& bare, long rounds);

Json CompareSqlite(PluginHost& plugins, int64_t documents, long rounds);
Json ComparePostgres(PluginHost& plugins, const std::string& dsn, int64_t documents, long rounds);

}  // namespace a4c::bench
