#include <algorithm>
#include <set>
#include <tuple>

#include "a4c/batch_rules.h"

namespace a4c {
namespace {

const RecordRef& RefOf(const Op& op) {
  return std::visit([](const auto& any) -> const RecordRef& { return any.ref; }, op);
}

std::string NotAllowed(const std::string& scope) {
  return "the caller may not touch the scope \"" + scope + "\"";
}

// The values of the unique indexes in which the record will stand.
std::vector<UniqueClaim> ClaimsOf(const Kind& kind, const Key& key, const FieldValues& indexed) {
  std::vector<UniqueClaim> claims;
  for (const ScanIndex& index : kind.indexes) {
    if (!index.unique) continue;
    UniqueClaim claim{&kind, &index, index.scoped ? key.scope : std::string()};
    for (const std::string& name : index.fields) {
      if (const auto found = indexed.find(name); found != indexed.end()) {
        claim.values.push_back(found->second);
      }
    }
    if (claim.values.size() == index.fields.size()) claims.push_back(std::move(claim));
  }
  return claims;
}

class Checker {
 public:
  Checker(const Call& call, const Kinds& kinds, const WriteBatch& batch, const BodyLimits& limits)
      : call_(call), kinds_(kinds), limits_(limits), checked_{&batch} {}

  CheckedBatch Run() && {
    const std::vector<Op>& ops = checked_.batch->ops;
    has_owner_ = std::ranges::any_of(ops, IsOwner);
    for (const Op& op : ops) {
      op_ = CheckedOp{nullptr, &RefOf(op)};
      if (CheckRef()) std::visit([this](const auto& any) { CheckOp(any); }, op);
      checked_.ops.push_back(std::move(op_));
    }
    return std::move(checked_);
  }

 private:
  using FieldOfRecord = std::pair<RecordRef, std::string>;

  // True if this op cannot pass a second time.
  static bool IsOwner(const Op& op) {
    if (const auto* put = std::get_if<Put>(&op)) {
      return put->body.has_value() && put->expect.what != Expect::What::kAny;
    }
    const auto* erase = std::get_if<Delete>(&op);
    return erase != nullptr && erase->expect.what == Expect::What::kRev;
  }

  // One failure per op: the first.
  bool Fail(std::string field, std::string message) {
    const size_t op = checked_.ops.size();
    if (!checked_.failures.empty() && checked_.failures.back().op == op) return false;
    checked_.failures.push_back(
        {op, OpFailure::Reason::kInvalid, std::move(field), {}, std::move(message)});
    return false;
  }

  bool CheckRef() {
    const auto found = kinds_.find(op_.ref->kind);
    if (found == kinds_.end()) {
      return Fail("kind", "kind \"" + op_.ref->kind + "\" is unknown: it was never ensured");
    }
    op_.kind = &found->second;
    const Result<void> key = CheckKey(op_.ref->key);
    if (!key) return Fail("key", key.error().message());
    const std::string& scope = op_.ref->key.scope;
    return call_.MayTouch(scope) ? true : Fail("scope", NotAllowed(scope));
  }

  bool CheckOnce() {
    if (written_.insert(*op_.ref).second) return true;
    return Fail("key", "the record is put or deleted twice in this batch");
  }

  bool CheckValues(const FieldValues& quiet) {
    std::string field = "quiet";
    const Result<void> fits = CheckQuiet(*op_.kind, quiet, &field);
    return fits ? true : Fail(field, fits.error().message());
  }

  bool CheckWrittenOnce(bool creates) {
    if (!op_.kind->append_only || creates) return true;
    return Fail("append_only", "records of " + op_.kind->name +
                                   " are written once: only a Put of a body that expects absent");
  }

  bool CheckAge(const Put& put) {
    const std::string& field = op_.kind->age_field;
    if (field.empty() || op_.indexed.contains(field)) return true;
    const auto named = put.quiet.find(field);
    const bool given = named != put.quiet.end()
                           ? !std::holds_alternative<std::monostate>(named->second)
                           : !put.body.has_value();
    if (given) return true;
    return Fail(field,
                "records of " + op_.kind->name + " end by age: give them their \"" + field + "\"");
  }

  void CheckOp(const Put& put) {
    const bool creates =
        put.body.has_value() && !put.tombstone && put.expect.what == Expect::What::kAbsent;
    if (!CheckWrittenOnce(creates) || !CheckOnce() || !CheckValues(put.quiet)) return;
    for (const auto& [name, value] : put.quiet) {
      if (!SetOnce(name)) return;
    }
    if (put.body.has_value()) {
      CheckBody(put);
    } else if (!CheckAge(put)) {
      return;
    } else if (put.tombstone) {
      Fail("tombstone", "a Put without a body cannot make a tombstone");
    } else if (put.min_rev != 0) {
      Fail("min_rev", "a Put without a body leaves the rev alone");
    } else if (put.expect.what == Expect::What::kAbsent) {
      Fail("expect", "a Put without a body needs a record");
    }
  }

  void CheckBody(const Put& put) {
    if (put.min_rev < 0 || put.min_rev > kRevMax) {
      Fail("min_rev", "min_rev is not within 0 and 2^62");
      return;
    }
    std::string field = "body";
    Result<FieldValues> indexed = IndexedFields(*op_.kind, *put.body, limits_, &field);
    if (!indexed) {
      Fail(field, indexed.error().message());
      return;
    }
    op_.indexed = *std::move(indexed);
    if (!CheckAge(put) || put.tombstone) return;
    op_.claims = ClaimsOf(*op_.kind, op_.ref->key, op_.indexed);
    for (const UniqueClaim& claim : op_.claims) {
      if (!claimed_.emplace(claim.kind, claim.index, claim.scope, claim.values).second) {
        Fail(claim.index->name,
             "two records of this batch have the same value in the unique index");
      }
    }
  }

  void CheckOp(const Delete&) {
    if (CheckWrittenOnce(false)) CheckOnce();
  }

  void CheckOp(const Add& add) {
    if (!CheckWrittenOnce(false)) return;
    const Field* field = FindField(*op_.kind, add.field);
    if (field == nullptr || !field->quiet || field->type != FieldType::kLong) {
      Fail(add.field, "\"" + add.field + "\" is not a quiet integer of " + op_.kind->name);
    } else if (add.min > add.max) {
      Fail(add.field, "min is greater than max");
    } else if (!has_owner_) {
      Fail(add.field,
           "a batch with an Add needs a Put with a body that expects absent or a rev, or a Delete "
           "that expects a rev");
    } else {
      SetOnce(add.field);
    }
  }

  void CheckOp(const Check& check) { CheckValues(check.quiet); }

  bool SetOnce(const std::string& field) {
    if (set_.emplace(*op_.ref, field).second) return true;
    return Fail(field, "\"" + field + "\" is changed by two ops of this batch");
  }

  const Call& call_;
  const Kinds& kinds_;
  const BodyLimits& limits_;
  CheckedBatch checked_;
  CheckedOp op_;
  bool has_owner_ = false;
  std::set<RecordRef> written_;
  std::set<FieldOfRecord> set_;
  std::set<std::tuple<const Kind*, const ScanIndex*, std::string, std::vector<Scalar>>> claimed_;
};

}  // namespace

CheckedBatch CheckBatch(const Call& call, const Kinds& kinds, const WriteBatch& batch,
                        const BodyLimits& limits) {
  return Checker(call, kinds, batch, limits).Run();
}

std::vector<RecordRef> RefsOf(std::span<const CheckedBatch> batches) {
  std::vector<RecordRef> refs;
  for (const CheckedBatch& checked : batches) {
    if (!checked.valid()) continue;
    for (const CheckedOp& op : checked.ops) refs.push_back(*op.ref);
  }
  std::ranges::sort(refs);
  const auto rest = std::ranges::unique(refs);
  refs.erase(rest.begin(), rest.end());
  return refs;
}

Result<void> CheckCall(const Call& call) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  if (call.Expired()) return Error(Code::kTimeout, "the deadline has passed");
  return {};
}

Result<void> CheckRefs(const Call& call, const Kinds& kinds, std::span<const RecordRef> refs) {
  for (const RecordRef& ref : refs) {
    if (!kinds.contains(ref.kind)) {
      return Error(Code::kInvalid, "kind \"" + ref.kind + "\" is unknown: it was never ensured");
    }
    A4C_CHECK(CheckKey(ref.key));
    if (!call.MayTouch(ref.key.scope)) return Error(Code::kDenied, NotAllowed(ref.key.scope));
  }
  return {};
}

}  // namespace a4c
