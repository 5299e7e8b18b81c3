#include "memory/memory_table.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "a4c/retention.h"

namespace a4c {
namespace {

bool IsAbsent(const Scalar& value) {
  return std::holds_alternative<std::monostate>(value);
}

Scalar ValueIn(const FieldValues& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? Scalar() : found->second;
}

std::vector<Scalar> With(std::vector<Scalar> values, const Scalar& next) {
  values.push_back(next);
  return values;
}

}  // namespace

bool MemoryTable::Order::operator()(const Entry& a, const Entry& b) const {
  return std::tie(a.scope, a.values, a.key) < std::tie(b.scope, b.values, b.key);
}

bool MemoryTable::Order::operator()(const Entry& entry, const Edge& edge) const {
  if (entry.scope != edge.scope) return entry.scope < edge.scope;
  for (size_t i = 0; i < edge.values.size(); ++i) {
    if (entry.values[i] != edge.values[i]) return entry.values[i] < edge.values[i];
  }
  return edge.behind;
}

bool MemoryTable::Order::operator()(const Edge& edge, const Entry& entry) const {
  return !(*this)(entry, edge);
}

MemoryTable::MemoryTable(const Kind& kind) : kind_(kind) {
  for (const ScanIndex& index : kind_.indexes) indexes_[index.name];
}

Result<MemoryTable> MemoryTable::Migrated(const Call& call, const Kind& kind) const {
  MemoryTable table(kind);
  const auto refuse = [&kind](const Key& key, const std::string& why) {
    return Error(Code::kInvalid, "kind \"" + kind.name + "\": record " + key.id +
                                     " does not fit version " + std::to_string(kind.version) +
                                     ": " + why);
  };
  for (const auto& [key, old] : rows_) {
    const RecordRef ref{kind.name, key};
    StoredRow stored = old.stored;
    std::erase_if(stored.quiet, [&](const auto& value) { return !FindField(kind, value.first); });
    WriteBatch as_new{{Put{.ref = ref,
                           .body = old.body,
                           .tombstone = stored.tombstone,
                           .quiet = stored.quiet,
                           .expect = Expect::Absent()}}};
    const Kinds kinds{{kind.name, kind}};
    CheckedBatch checked = CheckBatch(call, kinds, as_new);
    if (!checked.valid()) return refuse(key, checked.failures[0].message);
    for (const UniqueClaim& claim : checked.ops[0].claims) {
      if (table.Holder(claim)) return refuse(key, claim.index->name + " is not unique");
    }
    table.Write({RowChange::What::kPut, &table.kind_, &ref, false, std::move(stored), &old.body,
                 &checked.ops[0].indexed});
  }
  return table;
}

std::optional<StoredRow> MemoryTable::Find(const Key& key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? std::optional<StoredRow>() : found->second.stored;
}

std::optional<Key> MemoryTable::Holder(const UniqueClaim& claim) const {
  const Index& index = indexes_.find(claim.index->name)->second;
  const auto end = index.lower_bound(Edge{claim.scope, claim.values, true});
  for (auto at = index.lower_bound(Edge{claim.scope, claim.values}); at != end; ++at) {
    if (!rows_.find(at->key)->second.stored.tombstone) return at->key;
  }
  return std::nullopt;
}

std::optional<Record> MemoryTable::Read(const Key& key) const {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return std::nullopt;
  return RecordOf(key, found->second);
}

Record MemoryTable::RecordOf(const Key& key, const Row& row) const {
  return {{kind_.name, key}, row.stored.rev, row.stored.tombstone, row.body, row.stored.quiet};
}

void MemoryTable::Write(const RowChange& change) {
  const Key& key = change.ref->key;
  if (const auto old = rows_.find(key); old != rows_.end()) Leave(key, old->second);
  if (change.what == RowChange::What::kDelete) {
    rows_.erase(key);
    return;
  }
  Row& row = rows_[key];
  row.stored = change.row;
  if (change.what == RowChange::What::kPut) {
    row.body = *change.body;
    row.indexed = *change.indexed;
  }
  Enter(key, row);
}

bool MemoryTable::Forget(int64_t before_ms, size_t records_max) {
  const Index& index = indexes_.find(AgeIndex(kind_).name)->second;
  for (size_t forgotten = 0; forgotten < records_max; ++forgotten) {
    if (index.empty() || index.begin()->values[0] >= Scalar(before_ms)) return false;
    const Key key = index.begin()->key;
    const auto row = rows_.find(key);
    Leave(key, row->second);
    rows_.erase(row);
  }
  return true;
}

std::optional<MemoryTable::Entry> MemoryTable::EntryOf(const ScanIndex& index, const Key& key,
                                                       const Row& row) const {
  Entry entry{index.scoped ? key.scope : std::string(), {}, key};
  for (const std::string& name : index.fields) {
    const bool quiet = FindField(kind_, name)->quiet;
    entry.values.push_back(ValueIn(quiet ? row.stored.quiet : row.indexed, name));
  }
  if (IsAbsent(entry.values[0])) return std::nullopt;
  return entry;
}

void MemoryTable::Enter(const Key& key, const Row& row) {
  by_id_.insert({key.scope, {}, key});
  for (const ScanIndex& index : kind_.indexes) {
    if (auto entry = EntryOf(index, key, row)) indexes_[index.name].insert(*std::move(entry));
  }
}

void MemoryTable::Leave(const Key& key, const Row& row) {
  by_id_.erase(Entry{key.scope, {}, key});
  for (const ScanIndex& index : kind_.indexes) {
    if (auto entry = EntryOf(index, key, row)) indexes_[index.name].erase(*entry);
  }
}

const MemoryTable::Index& MemoryTable::IndexOf(const ScanPlan& plan) const {
  return plan.index == nullptr ? by_id_ : indexes_.find(plan.index->name)->second;
}

// Calls visit for each entry of the range behind the cursor until it returns false.
template <typename Visit>
void MemoryTable::Walk(const Index& index, const ScanPlan& plan, const ScanRequest& request,
                       Visit visit) {
  const Order before;
  const std::string scope = request.scope.value_or("");
  // Without a scope the order of ids runs over all of them; other indexes then have one scope, "".
  const bool all = plan.index == nullptr && !request.scope;
  Edge begin{scope, request.prefix};
  Edge end{scope, request.prefix, true};
  // False sorts before every value that is not absent.
  if (plan.bounded)
    begin.values = With(request.prefix, IsAbsent(request.lower) ? Scalar(false) : request.lower);
  if (!IsAbsent(request.upper)) end = {scope, With(request.prefix, request.upper)};

  std::optional<Entry> after;
  if (plan.after) {
    const bool scoped = plan.index == nullptr || plan.index->scoped;
    after = Entry{scoped ? plan.after->key.scope : "", plan.after->values, plan.after->key};
  }
  if (request.descending) {
    auto at = all ? index.end() : index.lower_bound(end);
    if (after && (at == index.end() || before(*after, *at))) at = index.lower_bound(*after);
    while (at != index.begin()) {
      --at;
      if ((!all && before(*at, begin)) || !visit(*at)) return;
    }
  } else {
    auto at = all ? index.begin() : index.lower_bound(begin);
    if (after && at != index.end() && !before(*after, *at)) at = index.upper_bound(*after);
    for (; at != index.end() && (all || before(*at, end)); ++at) {
      if (!visit(*at)) return;
    }
  }
}

void MemoryTable::Scan(const ScanPlan& plan, const ScanRequest& request, ScanAnswer& answer) const {
  const FieldValues* last_indexed = nullptr;
  Walk(IndexOf(plan), plan, request, [&](const Entry& entry) {
    const Row& row = rows_.find(entry.key)->second;
    if (row.stored.tombstone && !request.tombstones) return true;
    if (answer.records.size() == static_cast<size_t>(request.limit)) {
      answer.next = ScanCursor(request, PositionOf(plan, answer.records.back(), *last_indexed));
      return false;
    }
    answer.records.push_back(RecordOf(entry.key, row));
    last_indexed = &row.indexed;
    return true;
  });
}

}  // namespace a4c
