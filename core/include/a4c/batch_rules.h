// Batch rules: how a batch is decided. For store authors: every store calls these two functions, so
// all of them decide alike, and a store is left with reading rows, writing rows and committing.
//
//   CheckedBatch checked = CheckBatch(call, kinds, batch);  // no lock held: parses the bodies
//   ... lock the rows of checked, begin ...
//   A4C_TRY(Verdict verdict, Judge(checked, view));      // view: what the store holds now
//   for (const RowChange& change : verdict.changes) Write(change);   // none unless it is applied
//   ... commit; then verdict.result is the answer ...
//
// Batches that share a commit are judged one after another, each seeing what those before it wrote.
// In the changes of one batch no record is named twice, and no value of a unique index is taken
// that another record had before the batch: they may be written in any order. [any thread]
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "a4c/call.h"
#include "a4c/export.h"
#include "a4c/kind.h"
#include "a4c/record.h"
#include "a4c/result.h"
#include "a4c/store.h"

namespace a4c {

using Kinds = std::map<std::string, Kind, std::less<>>;

// A rev never passes this, so that adding one to it is safe: a greater min_rev is kInvalid.
inline constexpr int64_t kRevMax = int64_t{1} << 62;

// The values by which a living record stands in a unique index. A record that lacks one of the
// index's fields claims nothing.
struct UniqueClaim {
  const Kind* kind = nullptr;
  const ScanIndex* index = nullptr;
  std::string scope = {};           // empty if the index is unscoped
  std::vector<Scalar> values = {};  // as many as the index has fields
};

struct CheckedOp {
  const Kind* kind = nullptr;
  const RecordRef* ref = nullptr;
  FieldValues indexed = {};              // Put with a body: see IndexedFields
  std::vector<UniqueClaim> claims = {};  // Put with a body that is no tombstone
};

// Borrows the batch and the kinds.
struct CheckedBatch {
  const WriteBatch* batch = nullptr;
  std::vector<CheckedOp> ops = {};       // as many as the batch has, if it is valid
  std::vector<OpFailure> failures = {};  // why the batch is wrong in itself; empty: it is not

  bool valid() const { return failures.empty(); }
};

// What can be said without looking at a row. Wrong in itself are, besides unknown kinds, keys,
// bodies and values that do not fit:
//  - a second Put or Delete of one record; a value of a unique index claimed twice;
//  - an Add to a field that another op of the batch sets or adds to;
//  - an Add without an owner: a Put with a body that expects absent or a rev, or a Delete that
//    expects a rev. (Others could be sent twice and would pass twice.)
//  - a Put without a body that makes a tombstone, has a min_rev or expects absent;
//  - a record in a scope that the call may not touch;
//  - what Kind::age_field and Kind::append_only rule out.
A4C_API CheckedBatch CheckBatch(const Call& call, const Kinds& kinds, const WriteBatch& batch,
                                const BodyLimits& limits = {});

// The records that valid batches name, each once, by kind, scope and id: the order to lock them in.
A4C_API std::vector<RecordRef> RefsOf(std::span<const CheckedBatch> batches);

// Of a row, what judging needs.
struct StoredRow {
  int64_t rev = 0;
  bool tombstone = false;
  FieldValues quiet = {};
};

class BatchView {
 public:
  virtual ~BatchView() = default;
  virtual Result<std::optional<StoredRow>> Find(const Kind& kind, const Key& key) = 0;
  // The living record that stands in the unique index with these values.
  virtual Result<std::optional<Key>> Holder(const UniqueClaim& claim) = 0;
};

// A row after the batch. Pointers lead into the CheckedBatch.
struct RowChange {
  enum class What : uint8_t {
    kQuiet,   // rev, tombstone and body as found; write it even if no value differs
    kPut,     // the whole row
    kDelete,  // no row
  };
  What what = What::kQuiet;
  const Kind* kind = nullptr;
  const RecordRef* ref = nullptr;
  bool found = false;                    // the row was there before
  StoredRow row = {};                    // with all quiet values
  const std::string* body = nullptr;     // kPut
  const FieldValues* indexed = nullptr;  // kPut
};

struct Verdict {
  BatchResult result;
  std::vector<RowChange> changes;  // by kind, scope and id
};

// Decides a batch by what the view shows; an error is the view's. A batch that is not valid is
// answered kInvalid without asking the view.
A4C_API Result<Verdict> Judge(const CheckedBatch& checked, BatchView& view);

// kTimeout or kCanceled if the call's time is over before anything was done.
A4C_API Result<void> CheckCall(const Call& call);

// kInvalid: a kind that is unknown, or a key that no record can have. kDenied: a scope that the
// call may not touch.
A4C_API Result<void> CheckRefs(const Call& call, const Kinds& kinds,
                               std::span<const RecordRef> refs);

}  // namespace a4c
