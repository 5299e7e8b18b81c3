#include <algorithm>

#include "a4c/batch_rules.h"

namespace a4c {
namespace {

using Reason = OpFailure::Reason;
using What = RowChange::What;

// A record that the batch names: as it stood before the batch, and as it will stand after it.
struct Touched {
  std::optional<StoredRow> before = {};
  RowChange change = {};
  bool changed = false;
};

struct Decision {
  int64_t value = 0;
  std::optional<OpFailure> failure = {};
};

Decision Refuse(Reason reason, std::string field, Scalar actual, std::string message) {
  return {0, OpFailure{0, reason, std::move(field), std::move(actual), std::move(message)}};
}

Decision RefuseAbsent() {
  return Refuse(Reason::kAbsent, {}, {}, "the record does not exist");
}

Decision RefuseRev(int64_t expected, int64_t found) {
  return Refuse(
      Reason::kRev, {}, found,
      "rev " + std::to_string(expected) + " was expected and " + std::to_string(found) + " found");
}

// Says why the record found is not the one expected; no failure: it is.
Decision Meet(const Expect& expect, const std::optional<StoredRow>& found) {
  if (expect.what == Expect::What::kAny) return {};
  if (expect.what == Expect::What::kAbsent) {
    if (!found) return {};
    return Refuse(Reason::kPresent, {}, found->rev, "the record exists already");
  }
  if (!found) return RefuseAbsent();
  return found->rev == expect.rev ? Decision{} : RefuseRev(expect.rev, found->rev);
}

Scalar ValueIn(const FieldValues& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? Scalar() : found->second;
}

Scalar Merged(Merge merge, const Scalar& old, const Scalar& given) {
  if (std::holds_alternative<std::monostate>(old)) return given;
  switch (merge) {
    case Merge::kKeep:
      return old;
    case Merge::kMin:
      return std::min(old, given);
    case Merge::kMax:
      return std::max(old, given);
    case Merge::kReplace:
      break;
  }
  return given;
}

// A Put without a body maintains: only kMax still holds for it.
Merge RuleOf(const Field& field, bool has_body) {
  return has_body || field.merge == Merge::kMax ? field.merge : Merge::kReplace;
}

void MergeQuiet(const Kind& kind, const Put& put, FieldValues& quiet) {
  for (const auto& [name, value] : put.quiet) {
    if (std::holds_alternative<std::monostate>(value)) {
      quiet.erase(name);
    } else {
      const Merge rule = RuleOf(*FindField(kind, name), put.body.has_value());
      quiet[name] = Merged(rule, ValueIn(quiet, name), value);
    }
  }
}

void Mark(Touched& touched, What what) {
  // A Delete outweighs a Put, and both an Add, whatever their order.
  touched.change.what = touched.changed ? std::max(touched.change.what, what) : what;
  touched.changed = true;
}

class Judgement {
 public:
  Judgement(const CheckedBatch& checked, BatchView& view) : checked_(checked), view_(view) {}

  Result<Verdict> Run() {
    A4C_CHECK(Load());
    for (size_t i = 0; i < checked_.ops.size(); ++i) A4C_CHECK(JudgeOp(i));
    if (!failures_.empty()) return Refused();
    Verdict verdict{{.outcome = BatchOutcome::kApplied, .values = std::move(values_)}, {}};
    for (auto& [ref, touched] : touched_) {
      if (touched.changed) verdict.changes.push_back(std::move(touched.change));
    }
    return verdict;
  }

 private:
  Result<void> Load() {
    for (const CheckedOp& op : checked_.ops) {
      const auto [at, is_new] = touched_.try_emplace(*op.ref);
      if (!is_new) continue;
      Touched& touched = at->second;
      A4C_TRY(touched.before, view_.Find(*op.kind, op.ref->key));
      touched.change.kind = op.kind;
      touched.change.ref = op.ref;
      touched.change.found = touched.before.has_value();
      if (touched.before) touched.change.row = *touched.before;
    }
    return {};
  }

  Result<void> JudgeOp(size_t index) {
    const CheckedOp& checked = checked_.ops[index];
    Touched& touched = touched_.find(*checked.ref)->second;
    Decision decision = std::visit([&](const auto& op) { return Decide(op, checked, touched); },
                                   checked_.batch->ops[index]);
    if (!decision.failure) A4C_CHECK(JudgeClaims(checked, decision));
    values_.push_back(decision.value);
    if (decision.failure) {
      decision.failure->op = index;
      failures_.push_back(*std::move(decision.failure));
    }
    return {};
  }

  Result<void> JudgeClaims(const CheckedOp& checked, Decision& decision) {
    for (const UniqueClaim& claim : checked.claims) {
      A4C_TRY(const std::optional<Key> holder, view_.Holder(claim));
      if (!holder || *holder == checked.ref->key) continue;
      decision = Refuse(Reason::kUnique, claim.index->name, {},
                        "another record has this value in the unique index");
      return {};
    }
    return {};
  }

  static Decision Decide(const Put& put, const CheckedOp& checked, Touched& touched) {
    if (Decision met = Meet(put.expect, touched.before); met.failure) return met;
    StoredRow& row = touched.change.row;
    if (put.body) {
      row.rev = std::max((touched.before ? touched.before->rev : 0) + 1, put.min_rev);
      row.tombstone = put.tombstone;
      touched.change.body = &*put.body;
      touched.change.indexed = &checked.indexed;
    } else if (!touched.before) {
      return RefuseAbsent();
    }
    MergeQuiet(*checked.kind, put, row.quiet);
    Mark(touched, put.body ? What::kPut : What::kQuiet);
    return {row.rev};
  }

  static Decision Decide(const Delete& erase, const CheckedOp&, Touched& touched) {
    if (Decision met = Meet(erase.expect, touched.before); met.failure) return met;
    if (!touched.before) return {0};
    Mark(touched, What::kDelete);
    return {touched.before->rev};
  }

  static Decision Decide(const Add& add, const CheckedOp&, Touched& touched) {
    if (!touched.before) return RefuseAbsent();
    const Scalar found = ValueIn(touched.before->quiet, add.field);
    const int64_t* const value = std::get_if<int64_t>(&found);
    const int64_t old = value == nullptr ? 0 : *value;
    int64_t sum = 0;
    if (__builtin_add_overflow(old, add.delta, &sum) || sum < add.min || sum > add.max) {
      return Refuse(Reason::kOutOfBounds, add.field, old,
                    std::to_string(old) + " + " + std::to_string(add.delta) + " is not within " +
                        std::to_string(add.min) + " and " + std::to_string(add.max));
    }
    touched.change.row.quiet[add.field] = sum;
    Mark(touched, What::kQuiet);
    return {sum};
  }

  static Decision Decide(const Check& check, const CheckedOp&, Touched& touched) {
    if (!touched.before) return RefuseAbsent();
    if (check.rev && *check.rev != touched.before->rev) {
      return RefuseRev(*check.rev, touched.before->rev);
    }
    for (const auto& [name, value] : check.quiet) {
      Scalar found = ValueIn(touched.before->quiet, name);
      if (found == value) continue;
      return Refuse(Reason::kQuiet, name, std::move(found), "\"" + name + "\" has another value");
    }
    return {touched.before->rev};
  }

  Verdict Refused() {
    const bool only_bounds = std::ranges::all_of(
        failures_, [](const OpFailure& failure) { return failure.reason == Reason::kOutOfBounds; });
    return {{.outcome = only_bounds ? BatchOutcome::kOutOfBounds : BatchOutcome::kConflict,
             .failures = std::move(failures_)},
            {}};
  }

  const CheckedBatch& checked_;
  BatchView& view_;
  std::map<RecordRef, Touched> touched_;
  std::vector<int64_t> values_;
  std::vector<OpFailure> failures_;
};

}  // namespace

Result<Verdict> Judge(const CheckedBatch& checked, BatchView& view) {
  if (checked.valid()) return Judgement(checked, view).Run();
  return Verdict{{.outcome = BatchOutcome::kInvalid, .failures = checked.failures}, {}};
}

}  // namespace a4c
