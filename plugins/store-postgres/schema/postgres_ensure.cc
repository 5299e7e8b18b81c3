#include "schema/postgres_ensure.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/sinks.h"
#include "a4c/stored_kind.h"
#include "schema/postgres_backfill.h"
#include "schema/postgres_plain_sql.h"
#include "schema/postgres_schema.h"
#include "schema/postgres_table.h"
#include "session/postgres_session.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kLockPollMs = 50;
constexpr int64_t kDefaultMs = 600'000;
// Raised when tables get something that no kind asks for: 2: constraints, storage parameters.
constexpr int kLayout = 2;
// Whoever waits for a table's lock makes all behind it wait: not for long.
constexpr const char* kShortLockWait = "SET lock_timeout = '1s'";
constexpr const char* kNoLockTimeout = "SET lock_timeout = 0";

struct StoredKind {
  Kind kind;
  int layout = 1;
};

struct StoredIndex {
  std::string name;
  bool valid = false;
  std::string definition;
};

class Migration {
 public:
  Migration(const Call& call, Session& session, const Options& options, const Runtime& runtime)
      : call_(call),
        session_(session),
        sql_(session),
        options_(options),
        schema_(options.schema),
        runtime_(runtime),
        waiter_(runtime.threads.NewWaiter()) {}

  Result<void> RunIfNeeded(std::span<const Kind> kinds);
  // What that would do, without doing it.
  Result<std::vector<std::string>> Plan(std::span<const Kind> kinds);

 private:
  Result<bool> UpToDate(std::span<const Kind> kinds);
  Result<void> Run(std::span<const Kind> kinds);
  Result<void> DoWhenFree(const std::string& sql);
  Result<void> Change(const std::string& sql);
  Result<void> ChangeAll(const std::vector<std::string>& statements);

  Result<void> Lock();
  Result<void> RunLocked(std::span<const Kind> kinds);
  Result<void> CheckDatabase();
  Result<void> MakeSchema();
  Result<std::optional<StoredKind>> Stored(const std::string& kind);
  Result<bool> NeedsWork(const Kind& kind);
  Result<bool> LacksRowSecurity(const Kind& kind);
  Result<void> Migrate(const Table& table);
  Result<void> PartIfWhole(const Table& table);
  Result<bool> IsParted(const Table& table);
  Result<std::vector<int64_t>> Parts(const Table& table);
  Result<void> MakeIndexByParts(const Table& table, const ScanIndex& index);
  Result<void> MakeIndexes(const Table& table, bool there);
  Result<void> MakeIndex(const Table& table, const ScanIndex& index,
                         const std::vector<StoredIndex>& stored, bool online);
  Result<void> DropUnwanted(const Table& table, const std::vector<StoredIndex>& stored);
  Result<std::vector<StoredIndex>> StoredIndexes(const Table& table);
  static Result<void> CheckRowSecurity(const Kind& kind);
  Result<void> Remember(const Kind& kind);
  void Pause();

  const Call& call_;
  Session& session_;
  PlainSql sql_;
  const Options& options_;
  const std::string schema_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;
  std::vector<std::string>* plan_ = nullptr;  // instead of being done, changes are written here
};

Result<void> Migration::DoWhenFree(const std::string& sql) {
  for (;;) {
    Result<void> done = sql_.Do(sql);
    if (done || done.error().code() != Code::kTimeout || call_.Expired() || call_.Stopping()) {
      return done;
    }
    Pause();
  }
}

Result<void> Migration::Change(const std::string& sql) {
  if (plan_ == nullptr) return DoWhenFree(sql);
  plan_->push_back(sql);
  return {};
}

Result<void> Migration::ChangeAll(const std::vector<std::string>& statements) {
  for (const std::string& sql : statements) A4C_CHECK(Change(sql));
  return {};
}

void Migration::Pause() {
  const Waiter::Lock lock(*waiter_);
  waiter_->Wait(std::min(call_.deadline_ms, runtime_.clock.MonotonicMs() + kLockPollMs));
}

Result<void> Migration::RunIfNeeded(std::span<const Kind> kinds) {
  A4C_TRY(const bool up_to_date, UpToDate(kinds));
  return up_to_date ? Result<void>() : Run(kinds);
}

Result<std::vector<std::string>> Migration::Plan(std::span<const Kind> kinds) {
  std::vector<std::string> plan;
  plan_ = &plan;
  A4C_CHECK(RunLocked(kinds));
  return plan;
}

Result<bool> Migration::UpToDate(std::span<const Kind> kinds) {
  for (const Kind& kind : kinds) {
    A4C_TRY(const bool needs_work, NeedsWork(kind));
    if (needs_work) return false;
  }
  return true;
}

// Also true after a rolling upgrade, while rows are left that the older version wrote.
Result<bool> Migration::NeedsWork(const Kind& kind) {
  A4C_TRY(const std::optional<StoredKind> stored, Stored(kind.name));
  if (!stored) return true;
  A4C_TRY(const bool newer, CheckUpgrade(stored->kind, kind));
  A4C_TRY(const bool unsecured, LacksRowSecurity(kind));
  if (newer || unsecured || stored->layout < kLayout) return true;
  if (kind.version == 1) return false;
  return sql_.AskBool("EXISTS (SELECT 1 FROM " + Table(schema_, kind).name +
                      " WHERE kind_version < " + std::to_string(kind.version) + ")");
}

// Of a table that is there. One that has it, without the plugin's knowing, would seem to be empty.
Result<bool> Migration::LacksRowSecurity(const Kind& kind) {
  A4C_TRY(const bool on,
          sql_.AskBool("(SELECT relrowsecurity AND relforcerowsecurity FROM pg_class "
                       "WHERE oid = to_regclass(" +
                       Literal(Table(schema_, kind).name) + "))"));
  if (on && !options_.row_security) {
    return Error(Code::kInvalid, "the table of kind \"" + kind.name + "\" has row-level security",
                 "set row_security: true");
  }
  return options_.row_security && !on;
}

Result<std::optional<StoredKind>> Migration::Stored(const std::string& kind) {
  A4C_TRY(const bool there,
          sql_.AskBool("to_regclass(" + Literal(KindsTable(schema_)) + ") IS NOT NULL"));
  if (!there) return std::optional<StoredKind>();
  // The column is younger than the table.
  A4C_TRY(const TextRows rows,
          sql_.Ask("SELECT definition, coalesce(to_jsonb(k)->>'layout', '1') FROM " +
                   KindsTable(schema_) + " AS k WHERE name = " + Literal(kind)));
  if (rows.empty()) return std::optional<StoredKind>();
  A4C_TRY(Kind stored, KindFromJson(rows[0][0]));
  return std::optional(StoredKind{std::move(stored), std::stoi(rows[0][1])});
}

Result<void> Migration::Run(std::span<const Kind> kinds) {
  A4C_CHECK(Lock());
  Result<void> done = RunLocked(kinds);
  if (session_.Usable()) A4C_CHECK(sql_.Do("SELECT pg_advisory_unlock(" + LockKey(schema_) + ")"));
  return done;
}

// By asking again and again: one that waits inside PostgreSQL holds a snapshot, for whose end
// CREATE INDEX CONCURRENTLY waits, and that would be a deadlock.
Result<void> Migration::Lock() {
  for (;;) {
    A4C_TRY(const bool ours, sql_.AskBool("pg_try_advisory_lock(" + LockKey(schema_) + ")"));
    if (ours) return {};
    if (call_.Stopping()) return Error(Code::kCanceled, "asked to stop");
    if (call_.Expired()) {
      return Error(Code::kTimeout, "another process is changing the schema \"" + schema_ + "\"");
    }
    Pause();
  }
}

Result<void> Migration::RunLocked(std::span<const Kind> kinds) {
  A4C_CHECK(sql_.Do(kShortLockWait));
  A4C_CHECK(sql_.Do("SET client_min_messages = warning"));
  A4C_CHECK(sql_.Do("SET a4c.writer = 'migration'"));
  A4C_CHECK(CheckDatabase());
  A4C_CHECK(MakeSchema());
  for (const Kind& kind : kinds) {
    A4C_TRY(const bool needs_work, NeedsWork(kind));
    if (!needs_work) continue;
    auto done = Migrate(Table(schema_, kind));
    if (!done) return done.error().Within("making the table of kind \"" + kind.name + "\"");
  }
  return {};
}

Result<void> Migration::CheckDatabase() {
  A4C_TRY(const bool utf8, sql_.AskBool("current_setting('server_encoding') = 'UTF8'"));
  if (utf8) return {};
  return Error(Code::kInvalid, "the database's encoding is not UTF8",
               "create it with ENCODING 'UTF8' TEMPLATE template0");
}

Result<void> Migration::MakeSchema() {
  A4C_TRY(const bool schema,
          sql_.AskBool("to_regnamespace(" + Literal(Quoted(schema_)) + ") IS NOT NULL"));
  if (!schema) A4C_CHECK(Change("CREATE SCHEMA IF NOT EXISTS " + Quoted(schema_)));
  A4C_TRY(const bool layout,
          sql_.AskBool("(SELECT count(*) FROM pg_attribute WHERE attrelid = "
                       "to_regclass(" +
                       Literal(KindsTable(schema_)) +
                       ") AND attname IN ('layout', 'part', 'part_since')) = 3"));
  if (layout) return {};
  A4C_CHECK(Change("CREATE TABLE IF NOT EXISTS " + KindsTable(schema_) +
                   " (name text PRIMARY KEY, version integer NOT NULL, definition text NOT NULL, "
                   "changed_at timestamptz NOT NULL DEFAULT clock_timestamp())"));
  A4C_CHECK(Change("ALTER TABLE " + KindsTable(schema_) +
                   " ADD COLUMN IF NOT EXISTS layout integer NOT NULL DEFAULT 1, ADD COLUMN IF NOT "
                   "EXISTS part bigint NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS part_since "
                   "timestamptz NOT NULL DEFAULT clock_timestamp()"));
  return ChangeAll(PartFunctionsSql(schema_));
}

Result<void> Migration::Migrate(const Table& table) {
  A4C_TRY(const bool there, sql_.AskBool("to_regclass(" + Literal(table.name) + ") IS NOT NULL"));
  if (there) {
    A4C_CHECK(ChangeAll(AddColumnsSql(table)));
    A4C_CHECK(PartIfWhole(table));
    A4C_CHECK(ChangeAll(LayoutSql(table)));
  } else {
    A4C_CHECK(Change(CreateTableSql(schema_, table)));
    if (table.parted) A4C_CHECK(Change(CreatePartSql(schema_, table, 0)));
  }
  // From here on no row is written that lacks the columns, so the backfill can end.
  A4C_CHECK(ChangeAll(TriggerSql(schema_, table)));
  if (plan_ == nullptr) {
    A4C_CHECK(Backfill(call_, session_, table, runtime_));
  } else if (there && table.kind.version > 1) {
    plan_->push_back("-- 200 rows a commit, while there are older ones: " + BackfillSql(table));
  }
  A4C_CHECK(MakeIndexes(table, there));
  if (options_.row_security) {
    A4C_CHECK(CheckRowSecurity(table.kind));
    A4C_CHECK(ChangeAll(RowSecuritySql(schema_, table, options_.user)));
  }
  A4C_CHECK(Remember(table.kind));
  if (plan_ != nullptr) return {};
  runtime_.log.Write(LogLevel::kInfo, "store-postgres", "made a kind's table",
                     {{"kind", table.kind.name}, {"version", std::to_string(table.kind.version)}});
  return {};
}

// The rows of a table that is no partitioned one yet become its first part.
Result<void> Migration::PartIfWhole(const Table& table) {
  if (!table.parted) return {};
  A4C_TRY(const bool parted, IsParted(table));
  if (parted) return {};
  A4C_TRY(const std::vector<StoredIndex> stored, StoredIndexes(table));
  std::vector<ScanIndex> kept;
  for (const ScanIndex& index : table.kind.indexes) {
    const auto same = [&](const StoredIndex& any) {
      return any.valid && any.name == NameOf(table.kind, index.name) &&
             any.definition == IndexDefinition(table, index);
    };
    if (std::ranges::any_of(stored, same)) kept.push_back(index);
  }
  std::vector<std::string> row_security;
  if (options_.row_security) row_security = RowSecuritySql(schema_, table, options_.user);
  return ChangeAll(PartTableSql(schema_, table, kept, row_security));
}

Result<bool> Migration::IsParted(const Table& table) {
  return sql_.AskBool("EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(" +
                      Literal(table.name) + "))");
}

Result<std::vector<int64_t>> Migration::Parts(const Table& table) {
  A4C_TRY(const TextRows rows, sql_.Ask(PartsSql(table)));
  std::vector<int64_t> parts;
  for (const std::vector<std::string>& row : rows) parts.push_back(std::stoll(row[0]));
  return parts;
}

// While others read and write: of each part by itself.
Result<void> Migration::MakeIndexByParts(const Table& table, const ScanIndex& index) {
  A4C_TRY(const std::vector<int64_t> parts, Parts(table));
  A4C_CHECK(Change(CreateIndexOnlySql(table, index)));
  for (const int64_t part : parts) {
    A4C_CHECK(ChangeAll(CreatePartIndexSql(schema_, table, index, part)));
  }
  return Change(CommentIndexSql(schema_, table, index));
}

Result<void> Migration::MakeIndexes(const Table& table, bool there) {
  A4C_TRY(const std::vector<StoredIndex> stored, StoredIndexes(table));
  bool online = false;
  if (there) {
    A4C_TRY(online, sql_.AskBool("EXISTS (SELECT 1 FROM " + table.name + ")"));
  }
  if (online) A4C_CHECK(sql_.Do(kNoLockTimeout));
  for (const ScanIndex& index : table.kind.indexes) {
    A4C_CHECK(MakeIndex(table, index, stored, online));
  }
  A4C_CHECK(DropUnwanted(table, stored));
  return sql_.Do(kShortLockWait);
}

Result<void> Migration::MakeIndex(const Table& table, const ScanIndex& index,
                                  const std::vector<StoredIndex>& stored, bool online) {
  const std::string name = NameOf(table.kind, index.name);
  const std::string definition = (index.unique ? "unique " : "") + IndexDefinition(table, index);
  const auto found = std::ranges::find(stored, name, &StoredIndex::name);
  if (found != stored.end()) {
    if (found->valid && found->definition == definition) return {};
    A4C_CHECK(Change(DropIndexSql(schema_, name, online && !table.parted)));
  }
  if (online && table.parted) return MakeIndexByParts(table, index);
  const Result<void> made = Change(CreateIndexSql(table, index, online));
  if (!made) {
    // What CONCURRENTLY leaves behind when it fails still costs every write.
    if (online && session_.Usable()) A4C_CHECK(sql_.Do(DropIndexSql(schema_, name, true)));
    const std::string doing = "making the index \"" + index.name + "\"";
    if (made.error().code() != Code::kConflict) return made.error().Within(doing);
    return Error(Code::kInvalid, doing + ": records that are there have the same value",
                 "make the records differ first");
  }
  return Change(CommentIndexSql(schema_, table, index));
}

// Those without our comment are the administrator's own.
Result<void> Migration::DropUnwanted(const Table& table, const std::vector<StoredIndex>& stored) {
  for (const StoredIndex& index : stored) {
    const bool wanted = std::ranges::any_of(table.kind.indexes, [&](const ScanIndex& any) {
      return NameOf(table.kind, any.name) == index.name;
    });
    if (wanted || index.definition.empty()) continue;
    A4C_CHECK(Change(DropIndexSql(schema_, index.name, !table.parted)));
  }
  return {};
}

Result<std::vector<StoredIndex>> Migration::StoredIndexes(const Table& table) {
  A4C_TRY(
      const TextRows rows,
      sql_.Ask(
          "SELECT c.relname::text, CASE WHEN i.indisvalid THEN 'yes' ELSE 'no' END, "
          "coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_index AS i JOIN pg_class AS c "
          "ON c.oid = i.indexrelid WHERE NOT i.indisprimary AND i.indrelid = to_regclass(" +
          Literal(table.name) + ")"));
  std::vector<StoredIndex> indexes;
  for (const std::vector<std::string>& row : rows) {
    if (!row[0].starts_with(table.kind.name + "$")) continue;
    indexes.push_back({row[0], row[1] == "yes", row[2]});
  }
  return indexes;
}

// One order over all scopes that has to be unique cannot be judged by who sees some scopes only.
Result<void> Migration::CheckRowSecurity(const Kind& kind) {
  for (const ScanIndex& index : kind.indexes) {
    if (!index.unique || index.scoped) continue;
    return Error(Code::kUnsupported,
                 "row_security: the index \"" + index.name + "\" is unique over all scopes");
  }
  return {};
}

Result<void> Migration::Remember(const Kind& kind) {
  return Change("INSERT INTO " + KindsTable(schema_) +
                " (name, version, definition, layout) VALUES (" + Literal(kind.name) + ", " +
                std::to_string(kind.version) + ", " + Literal(KindToJson(kind)) + ", " +
                std::to_string(kLayout) +
                ") ON CONFLICT (name) DO UPDATE SET version = excluded.version, definition = "
                "excluded.definition, layout = excluded.layout, changed_at = clock_timestamp()");
}

// A session of its own: its timeouts are others.
template <typename Out, typename Work>
Result<Out> WithSession(const Call& call, std::span<const Kind> kinds, Connector& owner,
                        const Options& options, const Runtime& runtime, Work work) {
  for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
  A4C_CHECK(CheckCall(call));
  Options own = options;
  own.statement_timeout_ms = std::min(call.RemainingMs(), kDefaultMs);
  A4C_TRY(const std::unique_ptr<Session> session, owner.Connect(call, own));
  Migration migration(call, *session, options, runtime);
  return work(migration);
}

}  // namespace

Result<void> EnsureKinds(const Call& call, std::span<const Kind> kinds, Connector& owner,
                         const Options& options, const Runtime& runtime) {
  return WithSession<void>(call, kinds, owner, options, runtime,
                           [&](Migration& migration) { return migration.RunIfNeeded(kinds); });
}

Result<std::vector<std::string>> PlanKinds(const Call& call, std::span<const Kind> kinds,
                                           Connector& owner, const Options& options,
                                           const Runtime& runtime) {
  return WithSession<std::vector<std::string>>(
      call, kinds, owner, options, runtime,
      [&](Migration& migration) { return migration.Plan(kinds); });
}

}  // namespace a4c::postgres
