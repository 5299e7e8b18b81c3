// Leases over the four methods of a store. Who wins is decided by Check ops in the claiming batch,
// against what was read before: nothing here needs to be read at one moment.
#include "a4c/leases.h"

#include <algorithm>
#include <set>

#include "a4c/scan_rules.h"

namespace a4c {
namespace {

constexpr int kPageRecords = 100;
// Of the first page, a record that is claimed: most claims find what they want there.
constexpr int kSeenForOne = 4;
constexpr std::string_view kSuffix = "_lease";

Scalar ValueIn(const FieldValues& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? Scalar() : found->second;
}

bool IsAbsent(const Scalar& value) {
  return std::holds_alternative<std::monostate>(value);
}

int64_t LongIn(const FieldValues& values, std::string_view name) {
  const Scalar value = ValueIn(values, name);
  return std::holds_alternative<int64_t>(value) ? std::get<int64_t>(value) : 0;
}

// A subject whose lease is free, with its oldest unfinished record.
struct Candidate {
  Record record;
  RecordRef lease;
  std::optional<Record> found;  // the lease record as it was read
  int64_t until_ms = 0;

  int64_t epoch() const { return (found ? LongIn(found->quiet, "epoch") : 0) + 1; }
  bool took_over() const { return found && !IsAbsent(ValueIn(found->quiet, "until")); }
};

// The record and the lease must be as they were read: a claim, a renewal or a change in between
// makes this one fail.
WriteBatch ClaimBatch(const Candidate& candidate, const std::string& holder) {
  WriteBatch batch{{Check{.ref = candidate.record.ref, .rev = candidate.record.rev}}};
  Put put{
      .ref = candidate.lease,
      .quiet = {{"holder", holder}, {"until", candidate.until_ms}, {"epoch", candidate.epoch()}}};
  if (candidate.found) {
    FieldValues as_read;
    for (const char* field : {"holder", "until", "epoch"}) {
      as_read[field] = ValueIn(candidate.found->quiet, field);
    }
    batch.ops.push_back(Check{.ref = candidate.lease, .quiet = std::move(as_read)});
  } else {
    put.body = "{}";
    put.expect = Expect::Absent();
  }
  batch.ops.push_back(std::move(put));
  return batch;
}

// One call of Claim.
class Claimer {
 public:
  Claimer(Store& store, const Call& call, const ClaimRequest& request)
      : store_(store), call_(call), request_(request), kinds_{{request.kind.name, request.kind}} {}

  Result<std::vector<Claimed>> Run() {
    const ScanIndex* index = FindIndex(request_.kind, request_.index);
    serial_ = FindIndex(request_.kind, request_.kind.serial_index);
    if (index == nullptr || serial_ == nullptr || request_.count < 1 || request_.lease_ms < 1) {
      return Error(Code::kInvalid, "a claim of " + request_.kind.name +
                                       " needs an index, a serial index, a count and a length");
    }
    if (!index->scoped) {
      A4C_CHECK(ClaimFrom(std::nullopt));
    } else {
      for (const std::string& scope : request_.scopes) {
        if (!Enough()) A4C_CHECK(ClaimFrom(scope));
      }
    }
    return std::move(claimed_);
  }

 private:
  bool Enough() const { return claimed_.size() >= static_cast<size_t>(request_.count); }

  Result<void> ClaimFrom(std::optional<std::string> scope) {
    ScanRequest scan{
        .kind = request_.kind.name,
        .index = request_.index,
        .scope = std::move(scope),
        .prefix = request_.prefix,
        .upper = request_.upper,
        .limit = kSeenForOne * std::clamp(request_.count, kSeenForOne, kPageRecords / kSeenForOne)};
    A4C_TRY(const ScanPlan plan, CheckScan(call_, kinds_, scan));
    do {
      A4C_TRY(const ScanAnswer page, store_.Scan(call_, scan));
      A4C_CHECK(ClaimFromPage(plan, page.records));
      scan.after = page.next;
      scan.limit = kPageRecords;
    } while (!scan.after.empty() && !Enough());
    return {};
  }

  Result<void> ClaimFromPage(const ScanPlan& plan, const std::vector<Record>& records) {
    std::vector<RecordRef> leases;
    for (const Record& record : records) {
      std::optional<RecordRef> lease = LeaseOf(record);
      if (lease && seen_.insert(*lease).second) leases.push_back(*std::move(lease));
    }
    if (leases.empty()) return {};
    A4C_TRY(GetAnswer answer, store_.Get(call_, leases));
    std::vector<Candidate> candidates;
    for (size_t i = 0; i < leases.size() && !Enough(); ++i) {
      std::optional<Record>& found = answer.records[i];
      if (found && LongIn(found->quiet, "until") > answer.store_time_ms) continue;
      A4C_TRY(std::optional<Record> oldest, OldestOf(scopes_.at(leases[i]), leases[i].key.id));
      if (!oldest || !IsAskedFor(plan, *oldest)) continue;
      candidates.push_back({*std::move(oldest), leases[i], std::move(found),
                            answer.store_time_ms + request_.lease_ms});
      if (claimed_.size() + candidates.size() < static_cast<size_t>(request_.count)) continue;
      A4C_CHECK(Take(candidates));
    }
    return Take(candidates);
  }

  // The lease of a record's subject; none if it names no subject that could have one.
  std::optional<RecordRef> LeaseOf(const Record& record) {
    const Result<FieldValues> values = IndexedFields(request_.kind, record.body);
    if (!values) return std::nullopt;
    const Scalar subject = ValueIn(*values, request_.kind.serial_key_field);
    const auto* name = std::get_if<std::string>(&subject);
    if (name == nullptr) return std::nullopt;
    RecordRef lease =
        LeaseRef(request_.kind.name, serial_->scoped ? record.ref.key.scope : "", *name);
    if (!CheckKey(lease.key)) return std::nullopt;
    scopes_[lease] = record.ref.key.scope;
    return lease;
  }

  Result<std::optional<Record>> OldestOf(const std::string& scope, const std::string& subject) {
    ScanRequest scan{.kind = request_.kind.name,
                     .index = request_.kind.serial_index,
                     .prefix = {subject},
                     .limit = 1};
    if (serial_->scoped) scan.scope = scope;
    A4C_TRY(ScanAnswer page, store_.Scan(call_, scan));
    if (page.records.empty()) return std::optional<Record>();
    return std::optional<Record>(std::move(page.records[0]));
  }

  // The oldest may be one that the request does not ask for, say a retry that waits for its time:
  // then its subject waits too.
  bool IsAskedFor(const ScanPlan& plan, const Record& record) const {
    const Result<FieldValues> indexed = IndexedFields(request_.kind, record.body);
    if (!indexed) return false;
    const ScanPosition position = PositionOf(plan, record, *indexed);
    const size_t fixed = request_.prefix.size();
    for (size_t i = 0; i < fixed; ++i) {
      if (position.values[i] != request_.prefix[i]) return false;
    }
    if (IsAbsent(position.values[0])) return false;
    if (IsAbsent(request_.upper)) return true;
    return !IsAbsent(position.values[fixed]) && position.values[fixed] < request_.upper;
  }

  Result<void> Take(std::vector<Candidate>& candidates) {
    if (candidates.empty()) return {};
    std::vector<WriteBatch> batches;
    for (const Candidate& candidate : candidates) {
      batches.push_back(ClaimBatch(candidate, request_.holder));
    }
    A4C_TRY(const ApplyAnswer answer, store_.Apply(call_, batches));
    for (size_t i = 0; i < candidates.size(); ++i) {
      // Of an unknown outcome nothing is claimed: if it was applied, the lease expires.
      if (answer.results[i].outcome != BatchOutcome::kApplied) continue;
      Candidate& won = candidates[i];
      claimed_.push_back(
          {std::move(won.record), {won.lease, won.epoch(), won.until_ms}, won.took_over()});
    }
    candidates.clear();
    return {};
  }

  Store& store_;
  const Call& call_;
  const ClaimRequest& request_;
  const Kinds kinds_;
  const ScanIndex* serial_ = nullptr;
  std::set<RecordRef> seen_;
  std::map<RecordRef, std::string> scopes_;  // of the records that named the subject
  std::vector<Claimed> claimed_;
};

class StoreLeases final : public Leases {
 public:
  explicit StoreLeases(Store& store) : store_(store) {}

  Result<std::vector<Claimed>> Claim(const Call& call, const ClaimRequest& request) override {
    return Claimer(store_, call, request).Run();
  }
  Result<std::vector<bool>> Renew(const Call& call, std::span<const Lease> leases,
                                  int64_t lease_ms) override {
    return Change(call, leases, [lease_ms](int64_t now_ms) {
      return FieldValues{{"until", now_ms + lease_ms}};
    });
  }
  Result<std::vector<bool>> Release(const Call& call, std::span<const Lease> leases) override {
    return Change(call, leases, [](int64_t) { return FieldValues{{"holder", {}}, {"until", {}}}; });
  }

 private:
  // Changes the leases that are still held under their epoch. Not the epoch alone says so: a lease
  // that was released keeps it, without a holder.
  template <typename MakeQuiet>
  Result<std::vector<bool>> Change(const Call& call, std::span<const Lease> leases,
                                   MakeQuiet make_quiet) {
    std::vector<RecordRef> refs;
    for (const Lease& lease : leases) refs.push_back(lease.subject);
    A4C_TRY(const GetAnswer now, store_.Get(call, refs));
    std::vector<WriteBatch> batches;
    std::vector<size_t> held;
    for (size_t i = 0; i < leases.size(); ++i) {
      if (!now.records[i]) continue;
      Scalar holder = ValueIn(now.records[i]->quiet, "holder");
      if (IsAbsent(holder)) continue;
      held.push_back(i);
      batches.push_back(
          {{Check{.ref = refs[i], .quiet = {{"epoch", leases[i].epoch}, {"holder", holder}}},
            Put{.ref = refs[i], .quiet = make_quiet(now.store_time_ms)}}});
    }
    A4C_TRY(const ApplyAnswer answer, store_.Apply(call, batches));
    std::vector<bool> changed(leases.size(), false);
    for (size_t i = 0; i < held.size(); ++i) {
      const BatchResult& result = answer.results[i];
      if (result.outcome == BatchOutcome::kUnknown) {
        return Error(Code::kUnknownOutcome, "it is not known which leases were changed",
                     "send the same again");
      }
      if (result.error) return *result.error;
      changed[held[i]] = result.outcome == BatchOutcome::kApplied;
    }
    return changed;
  }

  Store& store_;
};

}  // namespace

Kind LeaseKind(const Kind& kind) {
  return {
      .name = kind.name + std::string(kSuffix),
      .fields = {{.name = "holder", .quiet = true},
                 {.name = "until", .type = FieldType::kTime, .quiet = true},
                 {.name = "epoch", .type = FieldType::kLong, .quiet = true, .merge = Merge::kMax}}};
}

RecordRef LeaseRef(std::string_view kind, std::string_view scope, std::string_view subject) {
  return {std::string(kind) + std::string(kSuffix), {std::string(scope), std::string(subject)}};
}

std::unique_ptr<Leases> NewLeases(Store& store) {
  return std::make_unique<StoreLeases>(store);
}

}  // namespace a4c
