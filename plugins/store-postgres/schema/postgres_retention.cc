#include "schema/postgres_retention.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "schema/postgres_plain_sql.h"
#include "schema/postgres_schema.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kTimeoutMsMax = 60'000;

// One transaction of who keeps the parts.
class PartKeeper {
 public:
  PartKeeper(Session& session, const Options& options, const Table& table, int64_t before_ms)
      : sql_(session), schema_(options.schema), table_(table), before_(std::to_string(before_ms)) {}

  Result<bool> Run() {
    A4C_TRY(const bool ours, sql_.AskBool("pg_try_advisory_xact_lock(" + LockKey(schema_) + ")"));
    if (!ours) return false;
    A4C_TRY(const TextRows now, sql_.Ask("SELECT part FROM " + KindsTable(schema_) +
                                         " WHERE name = " + Literal(table_.kind.name)));
    newest_ = std::stoll(now.at(0).at(0));
    A4C_TRY(const TextRows parts, sql_.Ask(PartsSql(table_)));
    for (const std::vector<std::string>& row : parts) {
      const int64_t part = std::stoll(row[0]);
      if (part != newest_) A4C_CHECK(DropIfOld(part));
    }
    return BeginNextIfDue();
  }

 private:
  std::string Name(int64_t part) const { return PartName(schema_, table_.kind, part); }
  const std::string& Age() const { return table_.ColumnOf(table_.kind.age_field).name; }
  Result<bool> HoldsYoung(int64_t part) {
    return sql_.AskBool("EXISTS (SELECT FROM " + Name(part) + " WHERE " + Age() + " >= " + before_ +
                        ")");
  }
  // Written by something else than the plugin.
  Result<bool> HoldsAgeless(int64_t part) {
    return sql_.AskBool("EXISTS (SELECT FROM " + Name(part) + " WHERE " + Age() + " IS NULL)");
  }

  // Looked at first without the lock, which holds everybody up.
  Result<void> DropIfOld(int64_t part) {
    A4C_TRY(bool kept, HoldsYoung(part));
    if (!kept) {
      A4C_TRY(kept, HoldsAgeless(part));
    }
    if (kept) return {};
    A4C_CHECK(sql_.Do("LOCK TABLE " + table_.name + " IN ACCESS EXCLUSIVE MODE"));
    A4C_TRY(kept, HoldsYoung(part));
    return kept ? Result<void>() : sql_.Do("DROP TABLE " + Name(part));
  }

  Result<bool> BeginNextIfDue() {
    A4C_TRY(const bool due,
            sql_.AskBool("EXISTS (SELECT FROM " + KindsTable(schema_) +
                         " WHERE name = " + Literal(table_.kind.name) +
                         " AND extract(epoch FROM clock_timestamp() - part_since) * 4000 >= "
                         "extract(epoch FROM clock_timestamp()) * 1000 - " +
                         before_ + ") AND EXISTS (SELECT FROM " + Name(newest_) + ")"));
    if (!due) return false;
    // This takes the table's lock, and who writes next sees what follows.
    A4C_CHECK(sql_.Do(CreatePartSql(schema_, table_, newest_ + 1)));
    A4C_CHECK(
        sql_.Do("UPDATE " + KindsTable(schema_) + " SET part = " + std::to_string(newest_ + 1) +
                ", part_since = clock_timestamp() WHERE name = " + Literal(table_.kind.name)));
    return true;
  }

  PlainSql sql_;
  const std::string schema_;
  const Table& table_;
  const std::string before_;
  int64_t newest_ = 0;
};

}  // namespace

Result<bool> ForgetParts(const Call& call, const Table& table, int64_t before_ms, Connector& owner,
                         const Options& options) {
  Options own = options;
  own.statement_timeout_ms = std::min(call.RemainingMs(), kTimeoutMsMax);
  A4C_TRY(const std::unique_ptr<Session> session, owner.Connect(call, own));
  PlainSql sql(*session);
  A4C_CHECK(sql.Do("SET lock_timeout = '1s'"));
  A4C_CHECK(sql.Do("BEGIN"));
  Result<bool> more = PartKeeper(*session, options, table, before_ms).Run();
  // Otherwise the session goes, and the transaction with it.
  if (more) A4C_CHECK(sql.Do("COMMIT"));
  if (!more && more.error().code() == Code::kTimeout && !call.Expired()) return false;
  return more;
}

}  // namespace a4c::postgres
