#include "postgres_search.h"

#include <algorithm>

#include "postgres_ensure.h"
#include "postgres_query.h"
#include "postgres_text.h"

namespace a4c::search_postgres {
namespace {

constexpr const char* kBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr size_t kBefore = 3;  // statements before those that were asked for
constexpr int kHitColumns = 4;

// The limit, and where row-level security is on, the scopes: the settings end with the transaction.
Statement OpeningOf(const Call& call, const Options& options, const ScopeSet* scopes) {
  Statement opening = LimitTime(call, options);
  if (scopes == nullptr) return opening;
  opening.sql += ", set_config('a4c.scopes', $2, true)";
  opening.params.push_back(ArrayText({scopes->begin(), scopes->end()}));
  return opening;
}

// The answers of the statements, or nothing if the layout has changed: then they may have failed
// for a table that has gone, too.
Result<std::optional<std::vector<Rows>>> ReadAll(const Call& call, Session& session,
                                                 const Options& options, const Layout& layout,
                                                 int64_t number, const ScopeSet* scopes,
                                                 std::vector<Statement> statements) {
  std::vector<Statement> all = {
      {kBegin}, OpeningOf(call, options, scopes), AskIfSame(layout, number)};
  std::ranges::move(statements, std::back_inserter(all));
  all.push_back({"COMMIT"});
  Reply reply = session.Run(call, all);
  const bool asked = reply.rows.size() >= kBefore;
  if (asked && !IsSame(layout, reply.rows[kBefore - 1])) {
    return std::optional<std::vector<Rows>>();
  }
  if (reply.failure) return reply.failure->error;
  reply.rows.erase(reply.rows.begin(), reply.rows.begin() + kBefore);
  return std::optional(std::move(reply.rows));
}

void ReadPage(const Rows& rows, const SearchPlan& plan, const SearchRequest& request,
              SearchAnswer& answer) {
  const int count = std::min(rows.size(), request.limit);
  for (int row = 0; row < count; ++row) {
    Hit hit;
    hit.ref = {request.kind.name, {std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1))}};
    hit.rev = rows.Int(row, 2);
    hit.body = rows.Text(row, 3);
    answer.hits.push_back(std::move(hit));
  }
  if (rows.size() <= count) return;
  SortPosition last{.values = {}, .id = answer.hits.back().ref.key.id};
  for (size_t i = 0; i < plan.sort.size(); ++i) {
    const int column = kHitColumns + static_cast<int>(i);
    last.values.push_back(rows.IsNull(count - 1, column)
                              ? Scalar()
                              : FromText(plan.sort[i].type, rows.Text(count - 1, column)));
  }
  answer.next = NextCursor(plan, last);
}

void ReadCounts(const Rows& rows, const SearchPlan& plan, SearchAnswer& answer) {
  answer.facets.resize(plan.facets.size());
  for (int row = 0; row < rows.size(); ++row) {
    const int64_t number = rows.Int(row, 0);
    const int64_t count = rows.Int(row, 2);
    if (number < 0) {
      answer.total = count;
      continue;
    }
    const auto facet = static_cast<size_t>(number);
    const std::string_view value = rows.Text(row, 1).substr(plan.facets[facet].cut);
    answer.facets[facet].push_back({FromText(plan.facets[facet].type, value), count});
  }
  // No order outlives a UNION by promise.
  for (std::vector<FacetValue>& values : answer.facets) {
    std::ranges::sort(values, {}, &FacetValue::value);
    std::ranges::stable_sort(values, std::ranges::greater(), &FacetValue::count);
  }
}

}  // namespace

Result<std::optional<SearchAnswer>> RunSearch(const Call& call, Session& session,
                                              const Options& options, const Layout& layout,
                                              int64_t number, const SearchPlan& plan,
                                              const SearchRequest& request,
                                              const ScopeSet* scopes) {
  const Source source = scopes == nullptr ? Source::kTable : Source::kView;
  A4C_TRY(const Sql page, PageSql(layout, plan, request.scope, request.limit, source));
  A4C_TRY(const Sql counts, CountsSql(layout, plan, request.scope, source));
  A4C_TRY(const auto answers, ReadAll(call, session, options, layout, number, scopes,
                                      {page.Numbered(), counts.Numbered()}));
  if (!answers) return std::optional<SearchAnswer>();
  SearchAnswer answer;
  ReadPage((*answers)[0], plan, request, answer);
  ReadCounts((*answers)[1], plan, answer);
  return std::optional(std::move(answer));
}

Result<std::optional<Rows>> RunRead(const Call& call, Session& session, const Options& options,
                                    const Layout& layout, int64_t number, Statement statement) {
  A4C_TRY(auto answers,
          ReadAll(call, session, options, layout, number, nullptr, {std::move(statement)}));
  if (!answers) return std::optional<Rows>();
  return std::optional(std::move(answers->front()));
}

}  // namespace a4c::search_postgres
