#include "postgres_ensure.h"

#include <Poco/Data/RecordSet.h>
#include <Poco/Data/Session.h>
#include <Poco/Exception.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "a4c/stored_kind.h"
#include "postgres_backfill.h"
#include "postgres_schema.h"
#include "postgres_session.h"
#include "postgres_table.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kLockPollMs = 50;
constexpr int64_t kDefaultMs = 600'000;
// Whoever waits for a table's lock makes all behind it wait: not for long.
constexpr const char* kShortLockWait = "SET lock_timeout = '1s'";
constexpr const char* kNoLockTimeout = "SET lock_timeout = 0";

using TextRows = std::vector<std::vector<std::string>>;

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
        schema_(options.schema),
        runtime_(runtime),
        waiter_(runtime.threads.NewWaiter()) {}

  Result<void> RunIfNeeded(std::span<const Kind> kinds);

 private:
  Result<bool> UpToDate(std::span<const Kind> kinds);
  Result<void> Run(std::span<const Kind> kinds);
  Result<void> Do(const std::string& sql);
  Result<void> DoWhenFree(const std::string& sql);
  Result<TextRows> Ask(const std::string& sql);
  Result<bool> AskBool(const std::string& expression);
  std::string KindsTable() const { return Quoted(schema_) + ".\"_kinds\""; }
  std::string LockKey() const { return "hashtextextended(" + Literal("a4c." + schema_) + ", 0)"; }

  Result<void> Lock();
  Result<void> RunLocked(std::span<const Kind> kinds);
  Result<std::optional<Kind>> Stored(const std::string& kind);
  Result<bool> NeedsWork(const Kind& kind);
  Result<void> Migrate(const Table& table);
  Result<void> MakeIndexes(const Table& table);
  Result<void> MakeIndex(const Table& table, const ScanIndex& index,
                         const std::vector<StoredIndex>& stored, bool online);
  Result<void> DropUnwanted(const Table& table, const std::vector<StoredIndex>& stored);
  Result<std::vector<StoredIndex>> StoredIndexes(const Table& table);
  Result<void> Remember(const Kind& kind);
  void Pause();

  const Call& call_;
  Session& session_;
  const std::string schema_;
  const Runtime runtime_;
  const std::unique_ptr<Waiter> waiter_;
};

Result<void> Migration::Do(const std::string& sql) {
  try {
    session_.poco() << sql, Poco::Data::Keywords::now;
    return {};
  } catch (const Poco::Exception&) {
    return session_.CaughtError();
  }
}

Result<void> Migration::DoWhenFree(const std::string& sql) {
  for (;;) {
    Result<void> done = Do(sql);
    if (done || done.error().code() != Code::kTimeout || call_.Expired() || call_.Stopping()) {
      return done;
    }
    Pause();
  }
}

Result<TextRows> Migration::Ask(const std::string& sql) {
  try {
    Poco::Data::RecordSet set(session_.poco(), sql);
    TextRows rows(set.rowCount());
    for (size_t row = 0; row < rows.size(); ++row) {
      for (size_t column = 0; column < set.columnCount(); ++column) {
        rows[row].push_back(set.value(column, row).convert<std::string>());
      }
    }
    return rows;
  } catch (const Poco::Exception&) {
    return session_.CaughtError();
  }
}

Result<bool> Migration::AskBool(const std::string& expression) {
  A4C_TRY(const TextRows rows, Ask("SELECT CASE WHEN " + expression + " THEN 'yes' ELSE 'no' END"));
  return rows.at(0).at(0) == "yes";
}

void Migration::Pause() {
  const Waiter::Lock lock(*waiter_);
  waiter_->Wait(std::min(call_.deadline_ms, runtime_.clock.MonotonicMs() + kLockPollMs));
}

Result<void> Migration::RunIfNeeded(std::span<const Kind> kinds) {
  A4C_TRY(const bool up_to_date, UpToDate(kinds));
  return up_to_date ? Result<void>() : Run(kinds);
}

Result<bool> Migration::UpToDate(std::span<const Kind> kinds) {
  A4C_TRY(const bool there, AskBool("to_regclass(" + Literal(KindsTable()) + ") IS NOT NULL"));
  if (!there) return false;
  for (const Kind& kind : kinds) {
    A4C_TRY(const bool needs_work, NeedsWork(kind));
    if (needs_work) return false;
  }
  return true;
}

// Also true after a rolling upgrade, while rows are left that the older version wrote.
Result<bool> Migration::NeedsWork(const Kind& kind) {
  A4C_TRY(const std::optional<Kind> stored, Stored(kind.name));
  if (!stored) return true;
  A4C_TRY(const bool newer, CheckUpgrade(*stored, kind));
  if (newer || kind.version == 1) return newer;
  return AskBool("EXISTS (SELECT 1 FROM " + Table(schema_, kind).name + " WHERE kind_version < " +
                 std::to_string(kind.version) + ")");
}

Result<std::optional<Kind>> Migration::Stored(const std::string& kind) {
  A4C_TRY(const TextRows rows,
          Ask("SELECT definition FROM " + KindsTable() + " WHERE name = " + Literal(kind)));
  if (rows.empty()) return std::optional<Kind>();
  A4C_TRY(Kind stored, KindFromJson(rows[0][0]));
  return std::optional<Kind>(std::move(stored));
}

Result<void> Migration::Run(std::span<const Kind> kinds) {
  A4C_CHECK(Lock());
  Result<void> done = RunLocked(kinds);
  if (session_.Usable()) A4C_CHECK(Do("SELECT pg_advisory_unlock(" + LockKey() + ")"));
  return done;
}

// By asking again and again: one that waits inside PostgreSQL holds a snapshot, for whose end
// CREATE INDEX CONCURRENTLY waits, and that would be a deadlock.
Result<void> Migration::Lock() {
  for (;;) {
    A4C_TRY(const bool ours, AskBool("pg_try_advisory_lock(" + LockKey() + ")"));
    if (ours) return {};
    if (call_.Stopping()) return Error(Code::kCanceled, "asked to stop");
    if (call_.Expired()) {
      return Error(Code::kTimeout, "another process is changing the schema \"" + schema_ + "\"");
    }
    Pause();
  }
}

Result<void> Migration::RunLocked(std::span<const Kind> kinds) {
  A4C_CHECK(Do(kShortLockWait));
  A4C_CHECK(Do("SET client_min_messages = warning"));
  A4C_TRY(const bool utf8, AskBool("current_setting('server_encoding') = 'UTF8'"));
  if (!utf8) {
    return Error(Code::kInvalid, "the database's encoding is not UTF8",
                 "create it with ENCODING 'UTF8' TEMPLATE template0");
  }
  A4C_TRY(const bool there,
          AskBool("to_regnamespace(" + Literal(Quoted(schema_)) + ") IS NOT NULL"));
  if (!there) A4C_CHECK(Do("CREATE SCHEMA IF NOT EXISTS " + Quoted(schema_)));
  A4C_CHECK(Do("CREATE TABLE IF NOT EXISTS " + KindsTable() +
               " (name text PRIMARY KEY, version integer NOT NULL, definition text NOT NULL, "
               "changed_at timestamptz NOT NULL DEFAULT clock_timestamp())"));
  for (const Kind& kind : kinds) {
    A4C_TRY(const bool needs_work, NeedsWork(kind));
    if (!needs_work) continue;
    auto done = Migrate(Table(schema_, kind));
    if (!done) return done.error().Within("making the table of kind \"" + kind.name + "\"");
  }
  return {};
}

Result<void> Migration::Migrate(const Table& table) {
  A4C_CHECK(DoWhenFree(CreateTableSql(table)));
  for (const std::string& sql : AddColumnsSql(table)) A4C_CHECK(DoWhenFree(sql));
  // From here on no row is written that lacks the columns, so the backfill can end.
  for (const std::string& sql : TriggerSql(schema_, table)) A4C_CHECK(DoWhenFree(sql));
  A4C_CHECK(Backfill(call_, session_, table, runtime_));
  A4C_CHECK(MakeIndexes(table));
  A4C_CHECK(Remember(table.kind));
  runtime_.log.Write(LogLevel::kInfo, "store-postgres", "made a kind's table",
                     {{"kind", table.kind.name}, {"version", std::to_string(table.kind.version)}});
  return {};
}

Result<void> Migration::MakeIndexes(const Table& table) {
  A4C_TRY(const std::vector<StoredIndex> stored, StoredIndexes(table));
  A4C_TRY(const bool online, AskBool("EXISTS (SELECT 1 FROM " + table.name + ")"));
  if (online) A4C_CHECK(Do(kNoLockTimeout));
  for (const ScanIndex& index : table.kind.indexes) {
    A4C_CHECK(MakeIndex(table, index, stored, online));
  }
  A4C_CHECK(DropUnwanted(table, stored));
  return Do(kShortLockWait);
}

Result<void> Migration::MakeIndex(const Table& table, const ScanIndex& index,
                                  const std::vector<StoredIndex>& stored, bool online) {
  const std::string name = NameOf(table.kind, index.name);
  const std::string definition = (index.unique ? "unique " : "") + IndexDefinition(table, index);
  const auto found = std::ranges::find(stored, name, &StoredIndex::name);
  if (found != stored.end()) {
    if (found->valid && found->definition == definition) return {};
    A4C_CHECK(DoWhenFree(DropIndexSql(schema_, name, online)));
  }
  const Result<void> made = DoWhenFree(CreateIndexSql(table, index, online));
  if (!made) {
    // What CONCURRENTLY leaves behind when it fails still costs every write.
    if (online && session_.Usable()) A4C_CHECK(Do(DropIndexSql(schema_, name, true)));
    const std::string doing = "making the index \"" + index.name + "\"";
    if (made.error().code() != Code::kConflict) return made.error().Within(doing);
    return Error(Code::kInvalid, doing + ": records that are there have the same value",
                 "make the records differ first");
  }
  return DoWhenFree(CommentIndexSql(schema_, table, index));
}

// Those without our comment are the administrator's own.
Result<void> Migration::DropUnwanted(const Table& table, const std::vector<StoredIndex>& stored) {
  for (const StoredIndex& index : stored) {
    const bool wanted = std::ranges::any_of(table.kind.indexes, [&](const ScanIndex& any) {
      return NameOf(table.kind, any.name) == index.name;
    });
    if (wanted || index.definition.empty()) continue;
    A4C_CHECK(DoWhenFree(DropIndexSql(schema_, index.name, true)));
  }
  return {};
}

Result<std::vector<StoredIndex>> Migration::StoredIndexes(const Table& table) {
  A4C_TRY(
      const TextRows rows,
      Ask("SELECT c.relname::text, CASE WHEN i.indisvalid THEN 'yes' ELSE 'no' END, "
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

Result<void> Migration::Remember(const Kind& kind) {
  return Do("INSERT INTO " + KindsTable() + " (name, version, definition) VALUES (" +
            Literal(kind.name) + ", " + std::to_string(kind.version) + ", " +
            Literal(KindToJson(kind)) +
            ") ON CONFLICT (name) DO UPDATE SET version = excluded.version, definition = "
            "excluded.definition, changed_at = clock_timestamp()");
}

}  // namespace

Result<void> EnsureKinds(const Call& call, std::span<const Kind> kinds, const Options& options,
                         const Runtime& runtime) {
  for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
  if (call.Stopping()) return Error(Code::kCanceled, "asked to stop");
  if (call.Expired()) return Error(Code::kTimeout, "no time left to begin");
  // A session of its own: its timeouts are others.
  Options own = options;
  own.statement_timeout_ms = std::min(call.RemainingMs(), kDefaultMs);
  A4C_TRY(const std::unique_ptr<Session> session, Connect(options.conninfo, own, runtime.clock));
  Migration migration(call, *session, options, runtime);
  const Result<void> done = migration.RunIfNeeded(kinds);
  if (session->Cut()) session->Mend();
  return done;
}

}  // namespace a4c::postgres
