#include <map>
#include <utility>

#include "read/postgres_rows.h"
#include "session/postgres_server.h"
#include "write/postgres_lanes.h"

namespace a4c::postgres {
namespace {

// By kind, so that all who write take tables in one order.
using CreatedRows = std::map<std::pair<std::string, const Table*>, Changes>;

CreatedRows RowsOf(const Catalog& catalog, const Items& items) {
  CreatedRows rows;
  for (const Item* item : items) {
    for (const RowChange& change : item->create->changes) {
      const Table& table = catalog.TableOf(change.kind->name);
      rows[{change.kind->name, &table}].push_back(&change);
    }
  }
  return rows;
}

}  // namespace

// No BEGIN and no COMMIT: the pipeline is one transaction, which ends with it.
Attempt CreateAll(const Call& call, Session& session, const Catalog& catalog, const Items& items,
                  int64_t deadline_ms) {
  CreatedRows rows = RowsOf(catalog, items);
  std::vector<Statement> statements{WriteOpeningOf(call, catalog.row_security, ScopesOf(items))};
  std::vector<int64_t> counts;
  for (auto& [table, changes] : rows) {
    SortByKey(changes);
    statements.push_back(InsertOf(*table.second, changes));
    counts.push_back(static_cast<int64_t>(changes.size()));
  }
  Reply reply = session.Commit(statements, deadline_ms);
  Attempt attempt;
  if (reply.failure) {
    attempt.fate =
        reply.failure->ProvesRollback(statements.size()) ? Fate::kRolledBack : Fate::kUnknown;
    attempt.why = "the commit was not answered: " + reply.failure->error.message();
    attempt.unanswered =
        attempt.fate == Fate::kUnknown && reply.failure->error.code() == Code::kTimeout;
    attempt.failure = std::move(reply.failure);
    return attempt;
  }
  attempt.store_time_ms = reply.rows.at(0).Int(0, 0);
  if (!Replicates(session, reply.rows.at(0))) {
    session.Retire();
    reply.doubt = kNoStandbyAskedFor;
  }
  if (reply.doubt != nullptr) {
    attempt.fate = Fate::kUnknown;
    attempt.why = reply.doubt;
  } else if (!AllWritten(std::span(reply.rows).subspan(1), counts)) {
    attempt.fate = Fate::kUnknown;
    attempt.why = kRowsKeptBack;
  }
  for (const Item* item : items) attempt.results.push_back(item->create->result);
  return attempt;
}

}  // namespace a4c::postgres
