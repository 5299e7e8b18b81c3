// Store: the source of truth. Batches in, a result per item out.
//
//   WriteBatch batch{{Put{.ref = {"photo", key}, .body = R"({"title":"Pier"})",
//                         .expect = Expect::Absent()}}};
//   A4C_TRY(ApplyAnswer answer, store.Apply(call, std::span(&batch, 1)));
//   if (answer.results[0].outcome == BatchOutcome::kApplied) Use(answer.results[0].values[0]);
//
// All methods are safe from any thread at once. Arguments are borrowed for the call alone. An Error
// from a method means that nothing was done, unless its code is kUnknownOutcome.
// Every answer carries the store's time, on which alone leases and due times are judged.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "a4c/call.h"
#include "a4c/kind.h"
#include "a4c/record.h"
#include "a4c/result.h"

namespace a4c {

// What a write expects of the record it finds. A tombstone counts as present.
struct Expect {
  enum class What : uint8_t { kAny, kAbsent, kRev };
  What what = What::kAny;
  int64_t rev = 0;

  static Expect Any() { return {}; }
  static Expect Absent() { return {What::kAbsent, 0}; }
  static Expect Rev(int64_t rev) { return {What::kRev, rev}; }
};

// Writes a record. With a body: rev becomes max(rev found + 1, min_rev), tombstone is set as given,
// and the quiet fields named are merged by their rule. Without one: only the quiet fields change,
// the record must exist, and rev stays; the fields are set as named, but for kMax, which never
// falls (so a writer that upserts leaves a due time alone, and the poller, which only maintains,
// can move it). Value in the result: the rev after it.
struct Put {
  RecordRef ref;
  std::optional<std::string> body = {};
  bool tombstone = false;
  FieldValues quiet = {};  // an absent (monostate) value clears the field, whatever its merge rule
  Expect expect = {};
  int64_t min_rev = 0;
};

// Removes the row. A delete that users see is a Put of a tombstone; this is for outbox rows,
// reservations and purges. With Expect::Any an absent row is no conflict. Value: the rev removed,
// or 0.
struct Delete {
  RecordRef ref;
  Expect expect = {};
};

// Adds delta to a quiet kLong field (absent: 0) if the sum stays within [min, max]; the record must
// exist. Value: the sum. A batch with an Add must also hold a Put of a body that expects absent or
// a rev, or a Delete that expects a rev: the record that owns the amount, so that sending the batch
// twice cannot count twice. a4c/batch_rules.h lists what else makes a batch kInvalid.
struct Add {
  RecordRef ref;
  std::string field;
  int64_t delta = 0;
  int64_t min = 0;
  int64_t max = INT64_MAX;
};

// Locks the record for the batch and changes nothing: the record must exist, have this rev (if
// given), and these quiet values (monostate: no value). A holder's epoch is checked so. Value: the
// rev.
struct Check {
  RecordRef ref;
  std::optional<int64_t> rev = {};
  FieldValues quiet = {};
};

using Op = std::variant<Put, Delete, Add, Check>;

// Applied whole or not at all. Names each record at most once for Put and Delete; an Add or a Check
// may name one again, and every op is judged by what stood before the batch.
struct WriteBatch {
  std::vector<Op> ops;
};

enum class BatchOutcome : uint8_t {
  kApplied,
  kConflict,     // what was expected was not so, or a unique index has it already
  kOutOfBounds,  // only Adds failed
  kInvalid,      // the batch is wrong in itself: the same batch fails again
  kNotApplied,   // nothing was done, for the reason in `error`; retryable() says if it may be sent
                 // again
  kUnknown,      // it may have been applied: send the same batch again to learn it
};

struct OpFailure {
  enum class Reason : uint8_t { kPresent, kAbsent, kRev, kQuiet, kUnique, kOutOfBounds, kInvalid };
  size_t op = 0;  // index into WriteBatch::ops
  Reason reason = Reason::kInvalid;
  std::string field = {};  // kQuiet, kOutOfBounds, kInvalid: the field; kUnique: the index
  Scalar actual = {};      // kPresent, kRev: the rev found; kQuiet, kOutOfBounds: the value found
  std::string message = {};
};

struct BatchResult {
  BatchOutcome outcome = BatchOutcome::kUnknown;
  std::vector<int64_t> values = {};  // kApplied: one per op
  std::vector<OpFailure> failures =
      {};                           // kConflict, kOutOfBounds, kInvalid: every failed op, in order
  std::optional<Error> error = {};  // kNotApplied, kUnknown
};

struct ApplyAnswer {
  int64_t store_time_ms = 0;
  std::vector<BatchResult> results;  // as many as batches, in their order
};

struct GetAnswer {
  int64_t store_time_ms = 0;
  std::vector<std::optional<Record>>
      records;  // as many as refs, in their order; tombstones included
};

// A page of an index: the records whose leading fields equal `prefix` and whose next field lies in
// [lower, upper), in index order. index empty: the order of (scope, id), with no prefix and no
// bounds.
struct ScanRequest {
  std::string kind;
  std::string index = {};
  std::optional<std::string> scope = {};  // required by a scoped index; also narrows the id order
  std::vector<Scalar> prefix = {};
  Scalar lower = {};  // monostate: unbounded
  Scalar upper = {};
  bool descending = false;  // the whole order reversed
  bool tombstones = false;  // true: include them
  std::string after = {};   // ScanAnswer::next of the page before; opaque
  int limit = 100;          // 1 to 10,000
  bool replica_ok = false;  // true: an answer that is a little old will do
};

struct ScanAnswer {
  int64_t store_time_ms = 0;
  std::vector<Record> records;
  std::string next = {};  // empty: the end
};

class Store {
 public:
  virtual ~Store() = default;

  // Creates or migrates what these kinds need, without stopping readers and writers; of many
  // callers at once, in many processes, one does it and all succeed. kInvalid: a kind is wrong.
  // kConflict: the store holds a newer version of a kind.
  virtual Result<void> Ensure(const Call& call, std::span<const Kind> kinds) = 0;

  // Applies batches as if one after another in this order; each is atomic and fails alone. A
  // success is durable. kUnknown and kUnknownOutcome as told above; batches of one call may share a
  // commit, never a fate.
  virtual Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) = 0;

  // Reads from the primary: sees every batch that was applied before the call.
  virtual Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) = 0;

  // Pages stay stable under writes: a record that is there from the first page to the last and does
  // not move in the order is returned once. kInvalid: unknown index, or a cursor of another
  // request.
  virtual Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) = 0;

  // An optional ability, or null: store.As<Leases>(). The pointer lives as long as the store.
  template <typename T>
  T* As() {
    return static_cast<T*>(Extension(T::kExtension));
  }

 protected:
  // Returns the object for this extension name, cast to the extension's type, or null.
  virtual void* Extension([[maybe_unused]] std::string_view name) { return nullptr; }
};

}  // namespace a4c
