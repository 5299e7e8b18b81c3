#include "write/postgres_group.h"

#include <algorithm>
#include <set>
#include <utility>

namespace a4c::postgres {
namespace {

class NothingThere final : public BatchView {
 public:
  Result<std::optional<StoredRow>> Find(const Kind&, const Key&) override {
    return std::optional<StoredRow>();
  }
  Result<std::optional<Key>> Holder(const UniqueClaim&) override { return std::optional<Key>(); }
};

bool ExpectsAbsent(const Op& op) {
  const auto* put = std::get_if<Put>(&op);
  return put != nullptr && put->expect.what == Expect::What::kAbsent;
}

bool IsDelete(const Op& op) {
  return std::holds_alternative<Delete>(op);
}

// A batch that creates something most probably finds nothing of what else it puts (an outbox row),
// and one that puts without expecting anything most probably does. An insert finds out whether that
// holds; for a Delete there is none that could: where nothing is, it changes nothing.
std::optional<Verdict> CreateOf(const CheckedBatch& checked) {
  const std::vector<Op>& ops = checked.batch->ops;
  if (!std::ranges::any_of(ops, ExpectsAbsent)) return std::nullopt;
  if (std::ranges::any_of(ops, IsDelete)) return std::nullopt;
  NothingThere nothing;
  Result<Verdict> verdict = Judge(checked, nothing);  // refuses what needs a row: Add, Check
  if (!verdict || verdict->result.outcome != BatchOutcome::kApplied) return std::nullopt;
  return *std::move(verdict);
}

// What the items so far name.
class Named {
 public:
  // A record that was named by anybody, or a unique index that one of the others writes.
  bool MeetsThoseBefore(const Item& item) const {
    return std::ranges::any_of(item.checked.ops, [this](const CheckedOp& op) {
      if (refs_.contains(op.ref)) return true;
      return std::ranges::any_of(op.claims, [this](const UniqueClaim& claim) {
        return others_kinds_.contains(claim.kind->name);
      });
    });
  }

  void Add(const Item& item, bool is_other) {
    for (const CheckedOp& op : item.checked.ops) {
      refs_.insert(op.ref);
      if (is_other) others_kinds_.insert(op.kind->name);
    }
  }

 private:
  struct ByRef {
    bool operator()(const RecordRef* a, const RecordRef* b) const { return *a < *b; }
  };
  std::set<const RecordRef*, ByRef> refs_;
  std::set<std::string_view> others_kinds_;
};

}  // namespace

std::vector<Item> ItemsOf(const Call& call, const Catalog& catalog,
                          std::span<const WriteBatch> batches, std::vector<BatchResult>& results) {
  std::vector<Item> items;
  items.reserve(batches.size());
  for (size_t i = 0; i < batches.size(); ++i) {
    CheckedBatch checked = CheckBatch(call, catalog.kinds, batches[i]);
    if (checked.valid()) {
      Item& item = items.emplace_back(Item{.index = i, .checked = std::move(checked)});
      item.create = CreateOf(item.checked);
    } else {
      results[i] = {.outcome = BatchOutcome::kInvalid, .failures = std::move(checked.failures)};
    }
  }
  return items;
}

Groups GroupsOf(const std::vector<Item>& items) {
  Groups groups;
  Named named;
  for (const Item& item : items) {
    const bool is_create = item.create && !named.MeetsThoseBefore(item);
    (is_create ? groups.creates : groups.others).push_back(&item);
    named.Add(item, !is_create);
  }
  return groups;
}

Scopes ScopesOf(const Items& items) {
  Scopes scopes;
  for (const Item* item : items) {
    for (const CheckedOp& op : item->checked.ops) scopes.insert(op.ref->key.scope);
  }
  return scopes;
}

BatchResult NotApplied(Error error) {
  return {.outcome = BatchOutcome::kNotApplied, .error = std::move(error)};
}

BatchResult Unknown(Error error) {
  return {.outcome = BatchOutcome::kUnknown, .error = std::move(error)};
}

}  // namespace a4c::postgres
