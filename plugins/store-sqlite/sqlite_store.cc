#include "sqlite_store.h"

#include "a4c/retention.h"
#include "a4c/scan_rules.h"
#include "a4c/sinks.h"
#include "a4c/store_clock.h"
#include "sqlite_connections.h"
#include "sqlite_errors.h"
#include "sqlite_lock.h"
#include "sqlite_scan.h"
#include "sqlite_schema.h"

namespace a4c::sqlite {
namespace {

constexpr int64_t kKeepTimeEveryMs = 1'000;
constexpr int64_t kAheadMsMax = 24 * 3'600'000;
constexpr const char* kGoesOn =
    "the clock was set back: the store's time goes on, at half the pace until that has caught up";
constexpr const char* kGoesBack =
    "the clock was set back too far: what was due by the former one waits until then";

struct Unit {
  const CheckedBatch* checked;
  BatchResult* result;
};

class WriterView final : public BatchView {
 public:
  WriterView(const Schema& schema, Connection& writer) : schema_(schema), writer_(writer) {}

  Result<std::optional<StoredRow>> Find(const Kind& kind, const Key& key) override {
    return schema_.TableOf(kind.name).Find(writer_, key);
  }
  Result<std::optional<Key>> Holder(const UniqueClaim& claim) override {
    return schema_.TableOf(claim.kind->name).Holder(writer_, claim);
  }

 private:
  const Schema& schema_;
  Connection& writer_;
};

class SqliteStore final : public Store, public Retention {
 public:
  SqliteStore(FileLock lock, const Runtime& runtime)
      : lock_(std::move(lock)),
        wall_clock_(runtime.clock),
        log_(runtime.log),
        clock_(runtime.clock),
        schema_waiter_(runtime.threads.NewWaiter()),
        readers_(runtime),
        writers_(runtime) {}

  Result<void> Open(const Options& options) {
    const auto connect = [&options] {
      return Connection::Open(options.path, options.cache_bytes, options.busy_timeout_ms);
    };
    A4C_TRY(auto writer, connect());
    A4C_TRY(schema_, OpenSchema(*writer, options.path));
    A4C_TRY(kept_ms_, KeptTime(*writer));
    GoOnFromKeptTime();
    writers_.Add(std::move(writer));
    for (int i = 0; i < options.readers; ++i) {
      A4C_TRY(auto reader, connect());
      readers_.Add(std::move(reader));
    }
    return {};
  }

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    A4C_CHECK(CheckCall(call));
    for (const Kind& kind : kinds) A4C_CHECK(CheckKind(kind));
    A4C_TRY(const Connections::Loan writer, writers_.Borrow(call));
    auto migrated = Migrate(*writer, schema_, kinds);
    if (!migrated) return migrated.error();
    const Waiter::Lock lock(*schema_waiter_);
    schema_ = *migrated;
    return {};
  }

  // The bodies are parsed before the writer is needed, and again if the kinds have changed until
  // it is had.
  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override {
    A4C_CHECK(CheckCall(call));
    std::shared_ptr<const Schema> schema = CurrentSchema();
    std::vector<CheckedBatch> checked = Check(call, *schema, batches);
    A4C_TRY(const Connections::Loan writer, writers_.Borrow(call));
    if (schema != schema_) {
      schema = schema_;
      checked = Check(call, *schema, batches);
    }
    ApplyAnswer answer{clock_.NowMs(), std::vector<BatchResult>(batches.size())};
    std::vector<Unit> units;
    for (size_t i = 0; i < checked.size(); ++i) units.push_back({&checked[i], &answer.results[i]});
    Write(*writer, units);
    return answer;
  }

  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    A4C_CHECK(CheckCall(call));
    const std::shared_ptr<const Schema> schema = CurrentSchema();
    A4C_CHECK(CheckRefs(call, schema->kinds, refs));
    GetAnswer answer;
    answer.records.reserve(refs.size());
    const Result<void> read = readers_.With(call, [&](Connection& reader) -> Result<void> {
      answer.store_time_ms = clock_.NowMs();
      for (const RecordRef& ref : refs) {
        A4C_TRY(auto record, schema->TableOf(ref.kind).Read(reader, ref.key));
        answer.records.push_back(std::move(record));
      }
      return {};
    });
    if (!read) return read.error();
    return answer;
  }

  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    A4C_CHECK(CheckCall(call));
    const std::shared_ptr<const Schema> schema = CurrentSchema();
    A4C_TRY(const ScanPlan plan, CheckScan(call, schema->kinds, request));
    ScanAnswer answer;
    const Result<void> read = readers_.With(call, [&](Connection& reader) -> Result<void> {
      answer.store_time_ms = clock_.NowMs();
      const Table& table = schema->TableOf(request.kind);
      ScanPosition last;
      for (const ScanQuery& query : ScanQueries(table, plan, request)) {
        A4C_CHECK(ReadRange(reader, table, plan, request, query, answer, last));
        if (!answer.next.empty()) break;
      }
      return {};
    });
    if (!read) return read.error();
    return answer;
  }

  Result<bool> Forget(const Call& call, const std::string& kind, int64_t before_ms) override {
    A4C_CHECK(CheckCall(call));
    A4C_TRY(const Connections::Loan writer, writers_.Borrow(call));
    A4C_CHECK(CheckForget(call, schema_->kinds, kind));
    return schema_->TableOf(kind).Forget(*writer, before_ms);
  }

 protected:
  void* Extension(std::string_view name) override {
    return name == Retention::kExtension ? static_cast<Retention*>(this) : nullptr;
  }

 private:
  // Adds the rows of one range; a row too many says that there is a next page.
  static Result<void> ReadRange(Connection& reader, const Table& table, const ScanPlan& plan,
                                const ScanRequest& request, const ScanQuery& query,
                                ScanAnswer& answer, ScanPosition& last) {
    const auto limit = static_cast<size_t>(request.limit);
    A4C_TRY(Statement statement, reader.Prepare(query.sql));
    for (const Scalar& value : query.parameters) statement.Bind(value);
    statement.Bind(static_cast<int64_t>(limit - answer.records.size() + 1));
    for (;;) {
      A4C_TRY(const bool there, statement.Step());
      if (!there) return {};
      if (answer.records.size() == limit) {
        answer.next = ScanCursor(request, last);
        return {};
      }
      ReadRow row = table.ReadHere(statement);
      last = PositionOf(plan, row.record, row.indexed);
      answer.records.push_back(std::move(row.record));
    }
  }

  static std::vector<CheckedBatch> Check(const Call& call, const Schema& schema,
                                         std::span<const WriteBatch> batches) {
    std::vector<CheckedBatch> checked;
    checked.reserve(batches.size());
    for (const WriteBatch& batch : batches)
      checked.push_back(CheckBatch(call, schema.kinds, batch));
    return checked;
  }

  // Leases and due times were judged by it. From a clock that was plainly wrong it would take days
  // to get back to the right time.
  void GoOnFromKeptTime() {
    const int64_t ahead_ms = kept_ms_ - wall_clock_.NowMs();
    if (ahead_ms <= 0) return;
    const bool goes_on = ahead_ms <= kAheadMsMax;
    log_.Write(LogLevel::kWarning, "store-sqlite", goes_on ? kGoesOn : kGoesBack,
               {{"ahead_ms", std::to_string(ahead_ms)}});
    if (goes_on) return clock_.GoOnFrom(kept_ms_);
    kept_ms_ = 0;
  }

  // [with the writer] The batches share a commit and never a fate: what fails together is tried one
  // by one.
  void Write(Connection& writer, std::span<const Unit> units) {
    if (const Result<void> begun = writer.Execute("BEGIN IMMEDIATE"); !begun) {
      Fail(units, begun.error());
      return;
    }
    const Result<void> written = JudgeAndWrite(writer, units);
    writer.RollBack();
    if (written) return;
    if (units.size() == 1 || written.error().unknown_outcome()) {
      Fail(units, written.error());
    } else {
      for (const Unit& unit : units) Write(writer, {&unit, 1});
    }
  }

  // Also a conflict is not known any more: it may rest on what was undone. A wrong batch stays
  // wrong.
  void Fail(std::span<const Unit> units, const Error& error) {
    log_.Write(LogLevel::kWarning, "store-sqlite", "a commit failed",
               {{"error", error.ToString()}, {"batches", std::to_string(units.size())}});
    const BatchOutcome outcome =
        error.unknown_outcome() ? BatchOutcome::kUnknown : BatchOutcome::kNotApplied;
    for (const Unit& unit : units) {
      if (unit.checked->valid()) {
        *unit.result = {.outcome = outcome, .error = error};
      } else {
        *unit.result = {.outcome = BatchOutcome::kInvalid, .failures = unit.checked->failures};
      }
    }
  }

  Result<void> JudgeAndWrite(Connection& writer, std::span<const Unit> units) {
    WriterView view(*schema_, writer);
    bool changed = false;
    for (const Unit& unit : units) {
      A4C_TRY(Verdict verdict, Judge(*unit.checked, view));
      for (const RowChange& change : verdict.changes) {
        A4C_CHECK(schema_->TableOf(change.ref->kind).Write(writer, change));
        changed = true;
      }
      *unit.result = std::move(verdict.result);
    }
    return changed ? CommitWithTime(writer) : Result<void>();
  }

  Result<void> CommitWithTime(Connection& writer) {
    const int64_t now_ms = clock_.NowMs();
    const bool keeps = now_ms >= kept_ms_ + kKeepTimeEveryMs;
    if (keeps) A4C_CHECK(KeepTime(writer, now_ms));
    A4C_CHECK(Commit(writer));
    if (keeps) kept_ms_ = now_ms;
    return {};
  }

  static Result<void> Commit(Connection& writer) {
    Result<void> committed = writer.Execute("COMMIT");
    if (committed) return {};
    const int code = sqlite3_extended_errcode(writer.handle());
    if (!MayBeCommitted(code)) return committed;
    return Error(Code::kUnknownOutcome, "committing: " + committed.error().message(),
                 committed.error().hint());
  }

  std::shared_ptr<const Schema> CurrentSchema() {
    const Waiter::Lock lock(*schema_waiter_);
    return schema_;
  }

  const FileLock lock_;  // given back after the connections are closed
  const Clock& wall_clock_;
  LogSink& log_;
  StoreClock clock_;
  int64_t kept_ms_ = 0;  // of clock_, in the file; for who has the writer
  // Guards the pointer; who has the writer reads it without.
  const std::unique_ptr<Waiter> schema_waiter_;
  std::shared_ptr<const Schema> schema_;
  Connections readers_;
  Connections writers_;  // one: the file has one writer
};

}  // namespace

Result<std::unique_ptr<Store>> OpenSqliteStore(const Options& options, const Runtime& runtime) {
  if (options.path.empty() || options.path.starts_with(':') || options.path.starts_with("file:")) {
    return Error(Code::kInvalid, "path \"" + options.path + "\" is not the name of a file",
                 "store-memory keeps records in memory");
  }
  A4C_TRY(FileLock lock, FileLock::Take(options.path));
  auto store = std::make_unique<SqliteStore>(std::move(lock), runtime);
  A4C_CHECK(store->Open(options));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace a4c::sqlite
