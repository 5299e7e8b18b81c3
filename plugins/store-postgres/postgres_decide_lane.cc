#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "postgres_lanes.h"
#include "postgres_rows.h"

namespace a4c::postgres {
namespace {

using TableKey = std::pair<std::string, const Table*>;  // by kind: the order of locking
using ClaimKey = std::tuple<std::string, std::string, std::string, std::vector<Scalar>>;

ClaimKey KeyOf(const UniqueClaim& claim) {
  return {claim.kind->name, claim.index->name, claim.scope, claim.values};
}

struct Locked {
  std::string ctid;
  StoredRow row;
};

// What the database holds of the records that a group names, and what the batches before in the
// group made of it.
class LockedView final : public BatchView {
 public:
  Result<std::optional<StoredRow>> Find(const Kind& kind, const Key& key) override {
    const auto found = rows_.find(RecordRef{kind.name, key});
    if (found == rows_.end()) return std::optional<StoredRow>();
    return std::optional<StoredRow>(found->second.row);
  }

  Result<std::optional<Key>> Holder(const UniqueClaim& claim) override {
    const ClaimKey key = KeyOf(claim);
    if (const auto taken = taken_.find(key); taken != taken_.end()) {
      return std::optional<Key>(taken->second);
    }
    const auto held = holders_.find(key);
    if (held == holders_.end()) return std::optional<Key>();
    // Rewritten by a batch before, which would have claimed the value again.
    if (rewritten_.contains({claim.kind->name, held->second})) return std::optional<Key>();
    return std::optional<Key>(held->second);
  }

  void AddRow(RecordRef ref, Locked row) { rows_.emplace(std::move(ref), std::move(row)); }
  void AddHolder(ClaimKey claim, Key key) { holders_.emplace(std::move(claim), std::move(key)); }
  const std::string& CtidOf(const RecordRef& ref) const { return rows_.find(ref)->second.ctid; }

  // Batches that come after see what this one, which is applied, leaves behind. No record is named
  // by two batches of a group, so that concerns unique values alone.
  void Apply(const CheckedBatch& checked, const Verdict& verdict) {
    for (const RowChange& change : verdict.changes) {
      if (change.what == RowChange::What::kQuiet) continue;
      rewritten_.insert(*change.ref);
      std::erase_if(taken_, [&](const auto& taken) {
        return std::get<0>(taken.first) == change.ref->kind && taken.second == change.ref->key;
      });
    }
    for (const CheckedOp& op : checked.ops) {
      for (const UniqueClaim& claim : op.claims) taken_[KeyOf(claim)] = op.ref->key;
    }
  }

 private:
  std::map<RecordRef, Locked> rows_;
  std::map<ClaimKey, Key> holders_;
  std::map<ClaimKey, Key> taken_;
  std::set<RecordRef> rewritten_;
};

// The changes to one table.
struct Work {
  Changes inserts;
  Changes updates;
  Changes quiets;
  std::vector<std::string> deletes;
};

class Decision {
 public:
  Decision(Session& session, const Items& items, int64_t deadline_ms)
      : session_(session), items_(items), deadline_ms_(deadline_ms) {}

  Attempt Run();

 private:
  struct Lookup {
    const Table* table = nullptr;
    std::vector<const Key*> keys = {};            // a lock, or
    std::vector<const UniqueClaim*> claims = {};  // a look at who holds these
  };

  void PlanLookups(std::vector<Statement>& statements);
  bool LockAndRead();
  void ReadLocked(const Lookup& lookup, const Rows& rows);
  void ReadHolders(const Lookup& lookup, const Rows& rows);
  void Decide();
  void Sort(const Item& item, const RowChange& change);
  void WriteAndCommit();
  bool AllWritten(const std::vector<Rows>& rows) const;
  void RollBack(Failure failure);
  void Unknown(std::string why);

  Session& session_;
  const Items& items_;
  const int64_t deadline_ms_;
  std::vector<Lookup> lookups_;
  LockedView view_;
  std::vector<Verdict> verdicts_;
  std::map<TableKey, Work> work_;
  std::vector<int64_t> row_counts_;  // that each write has to reach
  Attempt attempt_;
};

Statement HoldersOf(const Table& table, const std::vector<const UniqueClaim*>& claims) {
  const ScanIndex& index = *claims[0]->index;
  Statement statement{table.holder_sql.find(index.name)->second, {}};
  if (index.scoped) {
    ArrayBuilder scopes(kText);
    for (const UniqueClaim* claim : claims) scopes.AddBytes(claim->scope);
    statement.params.push_back(std::move(scopes).Finish());
  }
  for (size_t i = 0; i < index.fields.size(); ++i) {
    ArrayBuilder values(table.ColumnOf(index.fields[i]).type);
    for (const UniqueClaim* claim : claims) values.AddScalar(claim->values[i]);
    statement.params.push_back(std::move(values).Finish());
  }
  return statement;
}

void Decision::PlanLookups(std::vector<Statement>& statements) {
  struct ByKey {
    bool operator()(const Key* a, const Key* b) const { return *a < *b; }
  };
  std::map<TableKey, std::set<const Key*, ByKey>> locks;
  std::map<std::pair<TableKey, std::string>, std::vector<const UniqueClaim*>> holders;
  for (const Item* item : items_) {
    for (const CheckedOp& op : item->checked.ops) {
      const TableKey table{op.kind->name, &item->submission->catalog->TableOf(op.kind->name)};
      locks[table].insert(&op.ref->key);
      for (const UniqueClaim& claim : op.claims) {
        holders[{table, claim.index->name}].push_back(&claim);
      }
    }
  }
  for (const auto& [table, keys] : locks) {
    lookups_.push_back({.table = table.second, .keys = {keys.begin(), keys.end()}});
    statements.push_back(KeyedBy(table.second->lock_sql, lookups_.back().keys));
  }
  for (auto& [index, claims] : holders) {
    statements.push_back(HoldersOf(*index.first.second, claims));
    lookups_.push_back({.table = index.first.second, .claims = std::move(claims)});
  }
}

bool Decision::LockAndRead() {
  std::vector<Statement> statements{{"BEGIN"}};
  PlanLookups(statements);
  statements.push_back({kTimeSql});
  Reply reply = session_.Run(statements, deadline_ms_);
  if (reply.failure) {
    RollBack(*std::move(reply.failure));
    return false;
  }
  for (size_t i = 0; i < lookups_.size(); ++i) {
    const Rows& rows = reply.rows.at(i + 1);
    lookups_[i].claims.empty() ? ReadLocked(lookups_[i], rows) : ReadHolders(lookups_[i], rows);
  }
  attempt_.store_time_ms = reply.rows.back().Int(0, 0);
  return true;
}

void Decision::ReadLocked(const Lookup& lookup, const Rows& rows) {
  for (int i = 0; i < rows.size(); ++i) {
    const Key& key = *lookup.keys.at(static_cast<size_t>(rows.Int(i, 0)) - 1);
    view_.AddRow({lookup.table->kind.name, key},
                 {.ctid = std::string(rows.Bytes(i, 1)),
                  .row = {.rev = rows.Int(i, 2),
                          .tombstone = rows.Bool(i, 3),
                          .quiet = QuietFrom(*lookup.table, rows, i, 4)}});
  }
}

void Decision::ReadHolders(const Lookup& lookup, const Rows& rows) {
  for (int i = 0; i < rows.size(); ++i) {
    const UniqueClaim& claim = *lookup.claims.at(static_cast<size_t>(rows.Int(i, 0)) - 1);
    view_.AddHolder(KeyOf(claim), {std::string(rows.Bytes(i, 1)), std::string(rows.Bytes(i, 2))});
  }
}

void Decision::Decide() {
  for (const Item* item : items_) {
    // The view answers from memory, without fail.
    verdicts_.push_back(*Judge(item->checked, view_));
    if (verdicts_.back().result.outcome != BatchOutcome::kApplied) continue;
    view_.Apply(item->checked, verdicts_.back());
  }
  for (size_t i = 0; i < items_.size(); ++i) {
    for (const RowChange& change : verdicts_[i].changes) Sort(*items_[i], change);
  }
}

void Decision::Sort(const Item& item, const RowChange& change) {
  const std::string& kind = change.kind->name;
  Work& work = work_[{kind, &item.submission->catalog->TableOf(kind)}];
  switch (change.what) {
    case RowChange::What::kQuiet:
      work.quiets.push_back(&change);
      break;
    case RowChange::What::kPut:
      (change.found ? work.updates : work.inserts).push_back(&change);
      break;
    case RowChange::What::kDelete:
      if (change.found) work.deletes.push_back(view_.CtidOf(*change.ref));
      break;
  }
}

// Values of unique indexes are given up before others take them.
void Decision::WriteAndCommit() {
  std::vector<Statement> statements;
  const auto add = [&](Statement statement, size_t rows) {
    statements.push_back(std::move(statement));
    row_counts_.push_back(static_cast<int64_t>(rows));
  };
  for (auto& [table, work] : work_) {
    for (Changes* changes : {&work.inserts, &work.updates, &work.quiets}) SortByKey(*changes);
    const Table& into = *table.second;
    if (!work.deletes.empty()) add(DeleteOf(into, work.deletes), work.deletes.size());
    if (!work.updates.empty()) add(UpdateOf(into, work.updates), work.updates.size());
    if (!work.quiets.empty()) add(QuietOf(into, work.quiets), work.quiets.size());
    if (!work.inserts.empty()) add(InsertOf(into, work.inserts), work.inserts.size());
  }
  const size_t commit = statements.size();
  statements.push_back({"COMMIT"});
  Reply reply = session_.Run(statements, deadline_ms_);
  if (reply.failure && reply.failure->ProvesRollback(commit)) {
    RollBack(*std::move(reply.failure));
  } else if (reply.failure) {
    Unknown("the commit was not answered: " + reply.failure->error.message());
  } else if (reply.sync_wait_canceled) {
    Unknown(kSyncWaitCanceled);
  } else if (!AllWritten(reply.rows)) {
    Unknown("a trigger or rule that is not a4c's kept rows from being written");
  }
}

void Decision::Unknown(std::string why) {
  attempt_.fate = Fate::kUnknown;
  attempt_.why = std::move(why);
}

// Otherwise a success would be a lie.
bool Decision::AllWritten(const std::vector<Rows>& rows) const {
  for (size_t i = 0; i < row_counts_.size(); ++i) {
    if (rows.at(i).affected() != row_counts_[i]) return false;
  }
  return true;
}

// If even that fails the session goes, and the transaction with it.
void Decision::RollBack(Failure failure) {
  attempt_.fate = Fate::kRolledBack;
  attempt_.failure = std::move(failure);
  if (attempt_.failure->sqlstate.empty() || attempt_.failure->fatal) return;
  const Statement rollback{"ROLLBACK"};
  session_.Run({&rollback, 1}, deadline_ms_);
}

Attempt Decision::Run() {
  if (!LockAndRead()) return std::move(attempt_);
  Decide();
  WriteAndCommit();
  for (Verdict& verdict : verdicts_) attempt_.results.push_back(std::move(verdict.result));
  return std::move(attempt_);
}

}  // namespace

Attempt DecideAll(Session& session, const Items& items, int64_t deadline_ms) {
  return Decision(session, items, deadline_ms).Run();
}

}  // namespace a4c::postgres
