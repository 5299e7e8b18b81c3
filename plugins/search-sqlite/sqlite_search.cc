#include "sqlite_search.h"

#include "sqlite_query.h"

namespace a4c::search_sqlite {
namespace {

Result<Statement> Ready(Connection& reader, const Sql& sql) {
  A4C_TRY(Statement statement, reader.Prepare(sql.text));
  for (const Scalar& value : sql.parameters) statement.Bind(value);
  return statement;
}

Result<std::string> ReadBody(Connection& reader, const Layout& layout, int64_t doc) {
  A4C_TRY(Statement read, reader.Prepare("SELECT body FROM " + layout.Bodies() + " WHERE doc = ?"));
  read.Bind(doc);
  A4C_TRY(const bool there, read.Step());
  if (there) return read.Text();
  return Error(Code::kInternal, "search-sqlite: a document without a body",
               "rebuild the index: a4c sync rebuild");
}

Result<Hit> ReadHit(Connection& reader, const Layout& layout, const SearchPlan& plan,
                    Statement& row, SortPosition& position) {
  const int64_t doc = row.Long();
  Hit hit;
  hit.ref.kind = layout.kind;
  hit.ref.key.scope = row.Text();
  hit.ref.key.id = row.Text();
  hit.rev = row.Long();
  position = {.values = {}, .id = hit.ref.key.id};
  for (const SortField& field : plan.sort) position.values.push_back(row.Value(field.type));
  A4C_TRY(hit.body, ReadBody(reader, layout, doc));
  return hit;
}

// A row too many says that there is a next page.
Result<void> ReadPage(Connection& reader, const Layout& layout, const SearchPlan& plan,
                      const SearchRequest& request, SearchAnswer& answer) {
  A4C_TRY(const Sql sql, PageSql(layout, plan, request.scope, request.limit));
  A4C_TRY(Statement rows, Ready(reader, sql));
  SortPosition last;
  for (;;) {
    A4C_TRY(const bool there, rows.Step());
    if (!there) return {};
    if (answer.hits.size() == static_cast<size_t>(request.limit)) {
      answer.next = NextCursor(plan, last);
      return {};
    }
    A4C_TRY(Hit hit, ReadHit(reader, layout, plan, rows, last));
    answer.hits.push_back(std::move(hit));
  }
}

Result<void> ReadCounts(Connection& reader, const Layout& layout, const SearchPlan& plan,
                        const SearchRequest& request, SearchAnswer& answer) {
  A4C_TRY(const Sql sql, CountsSql(layout, plan, request.scope));
  A4C_TRY(Statement rows, Ready(reader, sql));
  for (;;) {
    A4C_TRY(const bool there, rows.Step());
    if (!there) return {};
    const int64_t number = rows.Long();
    if (number < 0) {
      rows.Text();  // no value
      answer.total = rows.Long();
      continue;
    }
    const auto facet = static_cast<size_t>(number);
    Scalar value = rows.Value(plan.facets[facet].type);
    if (auto* text = std::get_if<std::string>(&value)) text->erase(0, plan.facets[facet].cut);
    answer.facets[facet].push_back({std::move(value), rows.Long()});
  }
}

}  // namespace

Result<SearchAnswer> RunSearch(Connection& reader, const Layout& layout, const SearchPlan& plan,
                               const SearchRequest& request) {
  SearchAnswer answer;
  answer.facets.resize(plan.facets.size());
  A4C_CHECK(ReadPage(reader, layout, plan, request, answer));
  // A first page that holds everything has counted it.
  const bool whole = !plan.after && answer.next.empty();
  answer.total = static_cast<int64_t>(answer.hits.size());
  if (!whole || !plan.facets.empty()) {
    A4C_CHECK(ReadCounts(reader, layout, plan, request, answer));
  }
  return answer;
}

}  // namespace a4c::search_sqlite
