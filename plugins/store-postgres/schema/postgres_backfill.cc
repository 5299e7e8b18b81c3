#include "schema/postgres_backfill.h"

#include <string>
#include <utility>
#include <vector>

#include "a4c/record.h"
#include "a4c/sinks.h"
#include "schema/postgres_schema.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kRowsAtOnce = 200;

Scalar ValueOf(const FieldValues& values, const std::string& field) {
  const auto found = values.find(field);
  return found == values.end() ? Scalar() : found->second;
}

Statement BackfillOf(const Table& table, const Rows& rows, const Runtime& runtime) {
  ArrayBuilder scopes(kText);
  ArrayBuilder ids(kText);
  ArrayBuilder revs(kBigint);
  std::vector<ArrayBuilder> columns;
  for (const Column& column : table.indexed) columns.emplace_back(column.type);
  for (int row = 0; row < rows.size(); ++row) {
    scopes.AddBytes(rows.Bytes(row, 0));
    ids.AddBytes(rows.Bytes(row, 1));
    revs.AddInt(rows.Int(row, 2));
    Result<FieldValues> values = IndexedFields(table.kind, rows.Bytes(row, 3));
    if (!values) {
      runtime.log.Write(LogLevel::kWarning, "store-postgres", "a body does not fit the new indexes",
                        {{"kind", table.kind.name},
                         {"id", std::string(rows.Bytes(row, 1))},
                         {"error", values.error().message()}});
      values = FieldValues();
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i].AddScalar(ValueOf(*values, table.indexed[i].field.name));
    }
  }
  Statement statement{BackfillSql(table), {}};
  for (ArrayBuilder* array : {&scopes, &ids, &revs}) {
    statement.params.push_back(std::move(*array).Finish());
  }
  for (ArrayBuilder& array : columns) statement.params.push_back(std::move(array).Finish());
  return statement;
}

}  // namespace

Result<void> Backfill(const Call& call, Session& session, const Table& table,
                      const Runtime& runtime) {
  std::string scope;
  std::string id;
  for (;;) {
    const Statement read{OutdatedSql(table), {scope, id, ToBinary(kRowsAtOnce)}};
    Reply reply = session.Run({&read, 1}, call.deadline_ms, call.stop);
    if (reply.failure) return reply.failure->error.Within("reading rows of an older version");
    const Rows& rows = reply.rows.at(0);
    if (rows.size() == 0) return {};
    scope = rows.Bytes(rows.size() - 1, 0);
    id = rows.Bytes(rows.size() - 1, 1);
    const Statement write = BackfillOf(table, rows, runtime);
    reply = session.Run({&write, 1}, call.deadline_ms, call.stop);
    if (reply.failure) return reply.failure->error.Within("filling in the columns of new indexes");
  }
}

}  // namespace a4c::postgres
