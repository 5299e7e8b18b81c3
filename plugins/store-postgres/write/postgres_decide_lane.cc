#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "read/postgres_rows.h"
#include "session/postgres_server.h"
#include "write/postgres_lanes.h"

namespace a4c::postgres {
namespace {

using TableKey = std::pair<std::string, const Table*>;  // by kind: the order of locking
using ClaimKey = std::tuple<std::string, std::string, std::string, std::vector<Scalar>>;

ClaimKey KeyOf(const UniqueClaim& claim) {
  return {claim.kind->name, claim.index->name, claim.scope, claim.values};
}

// A record that the group names: its row in the database, and what the batches so far made of it.
struct Named {
  std::string ctid = {};  // empty: the database has no such row
  int64_t part = 0;
  std::optional<StoredRow> row = {};
  // The batches' changes in one, with the body of the last Put: what is to be written.
  std::optional<RowChange> change = {};
};

// What the database holds of the records that a group names, and what the batches before in the
// group made of it.
class LockedView final : public BatchView {
 public:
  Result<std::optional<StoredRow>> Find(const Kind& kind, const Key& key) override {
    const auto found = records_.find(RecordRef{kind.name, key});
    return found == records_.end() ? std::optional<StoredRow>() : found->second.row;
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

  void AddRow(RecordRef ref, Named record) { records_.emplace(std::move(ref), std::move(record)); }
  void AddHolder(ClaimKey claim, Key key) { holders_.emplace(std::move(claim), std::move(key)); }

  // Batches that come after see what this one, which is applied, leaves behind.
  void Apply(const CheckedBatch& checked, const Verdict& verdict) {
    for (const RowChange& change : verdict.changes) {
      Merge(records_[*change.ref], change);
      if (change.what != RowChange::What::kQuiet) GiveUpValues(*change.ref);
    }
    for (const CheckedOp& op : checked.ops) {
      for (const UniqueClaim& claim : op.claims) taken_[KeyOf(claim)] = op.ref->key;
    }
  }

  const std::map<RecordRef, Named>& records() const { return records_; }

 private:
  static void Merge(Named& record, const RowChange& change) {
    const std::optional<RowChange> before = std::exchange(record.change, change);
    record.row = change.row;
    if (change.what == RowChange::What::kDelete) {
      record.row.reset();
    } else if (change.what == RowChange::What::kQuiet && before) {
      record.change->what = before->what;
      record.change->body = before->body;
      record.change->indexed = before->indexed;
    }
  }

  void GiveUpValues(const RecordRef& ref) {
    rewritten_.insert(ref);
    std::erase_if(taken_, [&](const auto& taken) {
      return std::get<0>(taken.first) == ref.kind && taken.second == ref.key;
    });
  }

  std::map<RecordRef, Named> records_;
  std::map<ClaimKey, Key> holders_;
  std::map<ClaimKey, Key> taken_;
  std::set<RecordRef> rewritten_;
};

// The changes to one table.
struct Work {
  Changes inserts;
  Placed updates;
  Placed quiets;
  Places deletes;
};

class Decision {
 public:
  Decision(const Call& call, Session& session, const Catalog& catalog, const Items& items,
           int64_t deadline_ms)
      : call_(call),
        session_(session),
        catalog_(catalog),
        items_(items),
        deadline_ms_(deadline_ms) {}

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
  void Sort(const Named& record);
  void WriteAndCommit();
  void RollBack(Failure failure);
  void Unknown(std::string why);

  const Call& call_;
  Session& session_;
  const Catalog& catalog_;
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
      const TableKey table{op.kind->name, &catalog_.TableOf(op.kind->name)};
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
  std::vector<Statement> statements{{"BEGIN"},
                                    WriteOpeningOf(call_, catalog_.row_security, ScopesOf(items_))};
  PlanLookups(statements);
  Reply reply = session_.Run(statements, deadline_ms_);
  if (reply.failure) {
    RollBack(*std::move(reply.failure));
    return false;
  }
  if (!Replicates(session_, reply.rows.at(1))) {
    session_.Retire();
    RollBack({.error = Error(Code::kUnavailable, kNoStandbyAskedFor,
                             "set synchronous_standby_names and synchronous_commit back")});
    return false;
  }
  for (size_t i = 0; i < lookups_.size(); ++i) {
    const Rows& rows = reply.rows.at(i + 2);
    lookups_[i].claims.empty() ? ReadLocked(lookups_[i], rows) : ReadHolders(lookups_[i], rows);
  }
  attempt_.store_time_ms = reply.rows.at(1).Int(0, 0);
  return true;
}

void Decision::ReadLocked(const Lookup& lookup, const Rows& rows) {
  const Table& table = *lookup.table;
  const int part = 4 + static_cast<int>(table.quiet.size());
  for (int i = 0; i < rows.size(); ++i) {
    const Key& key = *lookup.keys.at(static_cast<size_t>(rows.Int(i, 0)) - 1);
    view_.AddRow({table.kind.name, key}, {.ctid = std::string(rows.Bytes(i, 1)),
                                          .part = table.parted ? rows.Int(i, part) : 0,
                                          .row = StoredRow{.rev = rows.Int(i, 2),
                                                           .tombstone = rows.Bool(i, 3),
                                                           .quiet = QuietFrom(table, rows, i, 4)}});
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
  for (const auto& [ref, record] : view_.records()) {
    if (record.change) Sort(record);
  }
}

void Decision::Sort(const Named& record) {
  const RowChange& change = *record.change;
  const std::string& kind = change.kind->name;
  Work& work = work_[{kind, &catalog_.TableOf(kind)}];
  const bool is_there = !record.ctid.empty();
  switch (change.what) {
    case RowChange::What::kQuiet:
      work.quiets.Add(change, record.part);
      break;
    case RowChange::What::kPut:
      if (is_there) {
        work.updates.Add(change, record.part);
      } else {
        work.inserts.push_back(&change);
      }
      break;
    case RowChange::What::kDelete:
      if (!is_there) break;
      work.deletes.ctids.push_back(record.ctid);
      work.deletes.parts.push_back(record.part);
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
    const Table& into = *table.second;
    const Placed& updates = work.updates;
    const Placed& quiets = work.quiets;
    const size_t deletes = work.deletes.ctids.size();
    if (deletes != 0) add(DeleteOf(into, work.deletes), deletes);
    if (!updates.changes.empty()) add(UpdateOf(into, updates), updates.changes.size());
    if (!quiets.changes.empty()) add(QuietOf(into, quiets), quiets.changes.size());
    if (!work.inserts.empty()) add(InsertOf(into, work.inserts), work.inserts.size());
  }
  const size_t commit = statements.size();
  statements.push_back({"COMMIT"});
  // Where nothing is written nothing has to be kept.
  Reply reply = commit == 0 ? session_.Run(statements, deadline_ms_)
                            : session_.Commit(statements, deadline_ms_);
  if (reply.failure && reply.failure->ProvesRollback(commit)) {
    RollBack(*std::move(reply.failure));
  } else if (reply.failure) {
    attempt_.unanswered = reply.failure->error.code() == Code::kTimeout;
    Unknown("the commit was not answered: " + reply.failure->error.message());
  } else if (reply.doubt != nullptr) {
    Unknown(reply.doubt);
  } else if (!AllWritten(reply.rows, row_counts_)) {
    Unknown(kRowsKeptBack);
  }
}

void Decision::Unknown(std::string why) {
  attempt_.fate = Fate::kUnknown;
  attempt_.why = std::move(why);
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

Attempt DecideAll(const Call& call, Session& session, const Catalog& catalog, const Items& items,
                  int64_t deadline_ms) {
  return Decision(call, session, catalog, items, deadline_ms).Run();
}

}  // namespace a4c::postgres
