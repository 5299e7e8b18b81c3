#include "read/postgres_reader.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/scan_rules.h"
#include "read/postgres_rows.h"
#include "read/postgres_scan.h"
#include "read/postgres_scopes.h"

namespace a4c::postgres {
namespace {

class PoolReader final : public Reader {
 public:
  PoolReader(SessionPool& primary, SessionPool& background, ReplicaReader* replicas)
      : primary_(primary), background_(background), replicas_(replicas) {}

  Result<GetAnswer> Get(const Call& call, const Catalog& catalog,
                        std::span<const RecordRef> refs) override;
  Result<ReplicaScan> Scan(const Call& call, const Catalog& catalog,
                           const ScanRequest& request) override;
  Result<std::vector<std::optional<Record>>> Firsts(const Call& call, const Catalog& catalog,
                                                    const std::string& kind, const ScanIndex& index,
                                                    std::span<const Key> groups) override;
  Result<int64_t> TimeMs(const Call& call) override;

 private:
  // Over all scopes: by the role that may see them, but never for a call that is bound to some.
  SessionPool& PoolFor(const Call& call, const Catalog& catalog, bool over_all_scopes) const {
    return over_all_scopes && catalog.row_security && call.scopes == nullptr ? background_
                                                                             : primary_;
  }

  SessionPool& primary_;
  SessionPool& background_;
  ReplicaReader* const replicas_;
};

Result<int64_t> PoolReader::TimeMs(const Call& call) {
  const Statement time{kTimeSql};
  A4C_TRY(const std::vector<Rows> rows, ReadFrom(call, primary_, {&time, 1}));
  return rows.at(0).Int(0, 0);
}

struct Wanted {
  std::vector<const Key*> keys;
  std::vector<size_t> places;  // in the answer
};

void ReadRecords(const Table& table, const Wanted& wanted, const Rows& rows, GetAnswer& answer) {
  for (int i = 0; i < rows.size(); ++i) {
    const auto place = static_cast<size_t>(rows.Int(i, 0)) - 1;
    answer.records[wanted.places.at(place)] = Record{.ref = {table.kind.name, *wanted.keys[place]},
                                                     .rev = rows.Int(i, 1),
                                                     .tombstone = rows.Bool(i, 2),
                                                     .body = std::string(rows.Bytes(i, 3)),
                                                     .quiet = QuietFrom(table, rows, i, 4)};
  }
}

Result<GetAnswer> PoolReader::Get(const Call& call, const Catalog& catalog,
                                  std::span<const RecordRef> refs) {
  A4C_CHECK(CheckCall(call));
  A4C_CHECK(CheckRefs(call, catalog.kinds, refs));
  std::map<std::string_view, Wanted> wanted;
  Scopes scopes;
  for (size_t i = 0; i < refs.size(); ++i) {
    scopes.insert(refs[i].key.scope);
    wanted[refs[i].kind].keys.push_back(&refs[i].key);
    wanted[refs[i].kind].places.push_back(i);
  }
  std::vector<Statement> statements{OpeningOf(call, catalog.row_security, scopes)};
  for (const auto& [kind, keyed] : wanted) {
    statements.push_back(KeyedBy(catalog.TableOf(std::string(kind)).get_sql, keyed.keys));
  }
  A4C_TRY(const std::vector<Rows> rows, ReadFrom(call, primary_, statements));
  GetAnswer answer{.store_time_ms = rows.at(0).Int(0, 0), .records = {}};
  answer.records.resize(refs.size());
  size_t next = 1;
  for (const auto& [kind, keyed] : wanted) {
    ReadRecords(catalog.TableOf(std::string(kind)), keyed, rows.at(next++), answer);
  }
  return answer;
}

// Whose columns begin at this one.
Record RecordFrom(const Table& table, const Rows& rows, int row, int column = 0) {
  return Record{
      .ref = {table.kind.name,
              {std::string(rows.Bytes(row, column)), std::string(rows.Bytes(row, column + 1))}},
      .rev = rows.Int(row, column + 2),
      .tombstone = rows.Bool(row, column + 3),
      .body = std::string(rows.Bytes(row, column + 4)),
      .quiet = QuietFrom(table, rows, row, column + 5)};
}

// The index's body fields, which stand behind the quiet columns.
FieldValues IndexedFrom(const Table& table, const ScanPlan& plan, const Rows& rows, int row) {
  FieldValues values;
  int column = 5 + static_cast<int>(table.quiet.size());
  for (const Field* field : plan.fields) {
    if (field->quiet) continue;
    if (!rows.IsNull(row, column)) {
      values.emplace(field->name, ScalarFromBinary(field->type, rows.Bytes(row, column)));
    }
    ++column;
  }
  return values;
}

// Of the rows of kTimeSql and of ScanOf.
ScanAnswer PageFrom(const Table& table, const ScanPlan& plan, const ScanRequest& request,
                    const std::vector<Rows>& read) {
  const Rows& rows = read.at(1);
  ScanAnswer answer{.store_time_ms = read.at(0).Int(0, 0), .records = {}};
  const int count = std::min(rows.size(), request.limit);
  for (int row = 0; row < count; ++row) answer.records.push_back(RecordFrom(table, rows, row));
  if (rows.size() > request.limit) {
    const FieldValues indexed = IndexedFrom(table, plan, rows, count - 1);
    answer.next = ScanCursor(request, PositionOf(plan, answer.records.back(), indexed));
  }
  return answer;
}

Result<ReplicaScan> PoolReader::Scan(const Call& call, const Catalog& catalog,
                                     const ScanRequest& request) {
  A4C_CHECK(CheckCall(call));
  A4C_TRY(const ScanPlan plan, CheckScan(call, catalog.kinds, request));
  const Table& table = catalog.TableOf(request.kind);
  Scopes scopes;
  if (request.scope) scopes.insert(*request.scope);
  SessionPool& pool = PoolFor(call, catalog, !request.scope);
  const std::vector<Statement> statements{OpeningOf(call, catalog.row_security, scopes),
                                          ScanOf(table, plan, request)};
  if (request.replica_ok && replicas_ != nullptr && &pool == &primary_) {
    if (const auto reading = replicas_->Read(call, statements)) {
      return ReplicaScan{PageFrom(table, plan, request, reading->rows), reading->stale_ms_max};
    }
  }
  A4C_TRY(const std::vector<Rows> rows, ReadFrom(call, pool, statements));
  return ReplicaScan{PageFrom(table, plan, request, rows)};
}

Result<std::vector<std::optional<Record>>> PoolReader::Firsts(const Call& call,
                                                              const Catalog& catalog,
                                                              const std::string& kind,
                                                              const ScanIndex& index,
                                                              std::span<const Key> groups) {
  A4C_CHECK(CheckCall(call));
  const Table& table = catalog.TableOf(kind);
  Scopes scopes;
  for (const Key& group : groups) scopes.insert(group.scope);
  const std::vector<Statement> statements{OpeningOf(call, catalog.row_security, scopes),
                                          FirstsOf(table, index, groups)};
  A4C_TRY(const std::vector<Rows> read,
          ReadFrom(call, PoolFor(call, catalog, !index.scoped), statements));
  const Rows& rows = read.at(1);
  std::vector<std::optional<Record>> firsts(groups.size());
  for (int row = 0; row < rows.size(); ++row) {
    firsts.at(static_cast<size_t>(rows.Int(row, 0)) - 1) = RecordFrom(table, rows, row, 1);
  }
  return firsts;
}

}  // namespace

std::unique_ptr<Reader> NewReader(SessionPool& primary, SessionPool& background,
                                  ReplicaReader* replicas) {
  return std::make_unique<PoolReader>(primary, background, replicas);
}

}  // namespace a4c::postgres
