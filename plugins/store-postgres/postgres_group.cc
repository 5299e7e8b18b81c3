#include "postgres_group.h"

#include <algorithm>

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

// A batch that creates something most probably finds nothing of what else it puts (an outbox row),
// and one that puts without expecting anything most probably does.
std::optional<Verdict> CreateOf(const CheckedBatch& checked) {
  if (!std::ranges::any_of(checked.batch->ops, ExpectsAbsent)) return std::nullopt;
  NothingThere nothing;
  Result<Verdict> verdict = Judge(checked, nothing);
  if (!verdict || verdict->result.outcome != BatchOutcome::kApplied) return std::nullopt;
  const bool puts_only = std::ranges::all_of(verdict->changes, [](const RowChange& change) {
    return change.what == RowChange::What::kPut;
  });
  if (!puts_only) return std::nullopt;
  return *std::move(verdict);
}

size_t BytesOf(const WriteBatch& batch) {
  size_t bytes = 0;
  for (const Op& op : batch.ops) {
    const auto* put = std::get_if<Put>(&op);
    bytes += 200 + (put != nullptr && put->body ? put->body->size() : 0);
  }
  return bytes;
}

ItemPtr NewItem(const std::shared_ptr<Submission>& submission, size_t index, CheckedBatch checked) {
  auto item = std::make_unique<Item>(submission, index, std::move(checked));
  item->create = CreateOf(item->checked);
  for (const RecordRef& ref : RefsOf({&item->checked, 1})) {
    item->refs.push_back(ref.kind + '\0' + ref.key.scope + '\0' + ref.key.id);
  }
  item->bytes = BytesOf(*item->checked.batch);
  return item;
}

}  // namespace

std::vector<ItemPtr> ItemsOf(const std::shared_ptr<Submission>& submission) {
  std::vector<ItemPtr> items;
  for (size_t i = 0; i < submission->batches.size(); ++i) {
    CheckedBatch checked = CheckBatch(submission->catalog->kinds, submission->batches[i]);
    if (checked.valid()) {
      items.push_back(NewItem(submission, i, std::move(checked)));
    } else {
      submission->Finish(
          i, {.outcome = BatchOutcome::kInvalid, .failures = std::move(checked.failures)}, 0);
    }
  }
  return items;
}

BatchResult NotApplied(Error error) {
  return {.outcome = BatchOutcome::kNotApplied, .error = std::move(error)};
}

BatchResult Unknown(Error error) {
  return {.outcome = BatchOutcome::kUnknown, .error = std::move(error)};
}

}  // namespace a4c::postgres
