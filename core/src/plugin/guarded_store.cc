#include <algorithm>
#include <utility>

#include "a4c/leases.h"
#include "a4c/migrations.h"
#include "a4c/replicas.h"
#include "a4c/retention.h"
#include "plugin/guard.h"
#include "plugin/guarded.h"
#include "plugin/guarded_digests.h"

namespace a4c::plugin {
namespace {

class GuardedLeases final : public Leases {
 public:
  GuardedLeases(Leases& inner, PluginRecord& plugin)
      : inner_(inner),
        claim_(plugin.Site("Leases.Claim", Code::kUnknownOutcome)),
        renew_(plugin.Site("Leases.Renew", Code::kUnknownOutcome)),
        release_(plugin.Site("Leases.Release", Code::kUnknownOutcome)) {}

  Result<std::vector<Claimed>> Claim(const Call& call, const ClaimRequest& request) override {
    return Guarded(claim_, call, [&] {
      auto claimed = inner_.Claim(call, request);
      const auto wanted = static_cast<size_t>(std::max(request.count, 0));
      if (claimed && claimed->size() > wanted) {
        claimed = Malformed(claim_, "a claim of " + std::to_string(wanted),
                            Counted(claimed->size(), "record"));
      }
      return claimed;
    });
  }

  Result<std::vector<bool>> Renew(const Call& call, std::span<const Lease> leases,
                                  int64_t lease_ms) override {
    return Guarded(renew_, call, [&] {
      return OnePerLease(renew_, leases, inner_.Renew(call, leases, lease_ms));
    });
  }

  Result<std::vector<bool>> Release(const Call& call, std::span<const Lease> leases) override {
    return Guarded(release_, call,
                   [&] { return OnePerLease(release_, leases, inner_.Release(call, leases)); });
  }

 private:
  static Result<std::vector<bool>> OnePerLease(const CallSite& site, std::span<const Lease> leases,
                                               Result<std::vector<bool>> answer) {
    if (answer && answer->size() != leases.size()) {
      return Malformed(site, Counted(leases.size(), "lease"), Counted(answer->size(), "result"));
    }
    return answer;
  }

  Leases& inner_;
  const CallSite& claim_;
  const CallSite& renew_;
  const CallSite& release_;
};

// A page holds at most as many records as were asked for, and none of another scope: that would be
// another tenant's.
Result<void> CheckPage(const CallSite& site, const ScanRequest& request,
                       const std::vector<Record>& records) {
  if (records.size() > static_cast<size_t>(std::max(request.limit, 0))) {
    return Malformed(site, "a limit of " + std::to_string(request.limit),
                     Counted(records.size(), "record"));
  }
  for (const Record& record : records) {
    if (!request.scope || record.ref.key.scope == *request.scope) continue;
    return Malformed(site, "a scope", "a record of another one");
  }
  return {};
}

// A record for each ref, in their order.
Result<void> CheckRecords(const CallSite& site, std::span<const RecordRef> refs,
                          const std::vector<std::optional<Record>>& records) {
  if (records.size() != refs.size()) {
    return Malformed(site, Counted(refs.size(), "ref"), Counted(records.size(), "record"));
  }
  for (size_t i = 0; i < refs.size(); ++i) {
    if (records[i] && records[i]->ref != refs[i]) {
      return Malformed(site, "a ref", "a record of another one");
    }
  }
  return {};
}

class GuardedReplicas final : public Replicas {
 public:
  GuardedReplicas(Replicas& inner, PluginRecord& plugin)
      : inner_(inner), scan_(plugin.Site("Replicas.ScanReplica")) {}

  Result<ReplicaScan> ScanReplica(const Call& call, const ScanRequest& request) override {
    return Guarded(scan_, call, [&]() -> Result<ReplicaScan> {
      A4C_TRY(ReplicaScan page, inner_.ScanReplica(call, request));
      A4C_CHECK(CheckPage(scan_, request, page.scan.records));
      return page;
    });
  }

 private:
  Replicas& inner_;
  const CallSite& scan_;
};

class GuardedMigrations final : public Migrations {
 public:
  GuardedMigrations(Migrations& inner, PluginRecord& plugin)
      : inner_(inner), plan_(plugin.Site("Migrations.Plan")) {}

  Result<std::vector<std::string>> Plan(const Call& call, std::span<const Kind> kinds) override {
    return Guarded(plan_, call, [&] { return inner_.Plan(call, kinds); });
  }

 private:
  Migrations& inner_;
  const CallSite& plan_;
};

class GuardedRetention final : public Retention {
 public:
  GuardedRetention(Retention& inner, PluginRecord& plugin)
      : inner_(inner), forget_(plugin.Site("Retention.Forget")) {}

  Result<bool> Forget(const Call& call, const std::string& kind, int64_t before_ms) override {
    return Guarded(forget_, call, [&] { return inner_.Forget(call, kind, before_ms); });
  }

 private:
  Retention& inner_;
  const CallSite& forget_;
};

// What is wrong with a batch's result, or nothing.
std::string FaultOf(const WriteBatch& batch, const BatchResult& result) {
  switch (result.outcome) {
    case BatchOutcome::kApplied:
      if (result.values.size() == batch.ops.size()) return {};
      return Counted(result.values.size(), "value");
    case BatchOutcome::kConflict:
    case BatchOutcome::kOutOfBounds:
    case BatchOutcome::kInvalid:
      if (result.failures.empty()) return "a refusal that names no op";
      if (std::ranges::all_of(result.failures, [&](const OpFailure& failure) {
            return failure.op < batch.ops.size();
          })) {
        return {};
      }
      return "a refusal of an op that it does not have";
    case BatchOutcome::kNotApplied:
    case BatchOutcome::kUnknown:
      return result.error ? "" : "a failure without an error";
  }
  return "an outcome that does not exist";
}

class GuardedStore final : public Store {
 public:
  GuardedStore(std::unique_ptr<Store> inner, PluginRecord& plugin)
      : plugin_(plugin),
        inner_(std::move(inner)),
        ensure_(plugin.Site("Ensure")),
        apply_(plugin.Site("Apply", Code::kUnknownOutcome)),
        get_(plugin.Site("Get")),
        scan_(plugin.Site("Scan")) {}
  ~GuardedStore() override { DestroyGuarded(plugin_, inner_); }

  Result<void> Ensure(const Call& call, std::span<const Kind> kinds) override {
    return Guarded(ensure_, call, [&] { return inner_->Ensure(call, kinds); });
  }

  Result<ApplyAnswer> Apply(const Call& call, std::span<const WriteBatch> batches) override {
    return Guarded(apply_, call, [&] {
      auto answer = inner_->Apply(call, batches);
      if (!answer) return answer;
      if (answer->results.size() != batches.size()) {
        answer = Malformed(apply_, Counted(batches.size(), "batch"),
                           Counted(answer->results.size(), "result"));
      } else {
        CheckResults(batches, answer->results);
      }
      return answer;
    });
  }

  Result<GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return Guarded(get_, call, [&]() -> Result<GetAnswer> {
      A4C_TRY(GetAnswer answer, inner_->Get(call, refs));
      A4C_CHECK(CheckRecords(get_, refs, answer.records));
      return answer;
    });
  }

  Result<ScanAnswer> Scan(const Call& call, const ScanRequest& request) override {
    return Guarded(scan_, call, [&]() -> Result<ScanAnswer> {
      A4C_TRY(ScanAnswer answer, inner_->Scan(call, request));
      A4C_CHECK(CheckPage(scan_, request, answer.records));
      return answer;
    });
  }

 private:
  void* Extension(std::string_view name) override {
    if (name == Leases::kExtension) return leases_.Of(*inner_, plugin_);
    if (name == Digests::kExtension) return digests_.Of(*inner_, plugin_);
    if (name == Replicas::kExtension) return replicas_.Of(*inner_, plugin_);
    if (name == Migrations::kExtension) return migrations_.Of(*inner_, plugin_);
    if (name == Retention::kExtension) return retention_.Of(*inner_, plugin_);
    return nullptr;
  }

  // A batch whose result makes no sense has an unknown outcome; the others keep theirs.
  void CheckResults(std::span<const WriteBatch> batches, std::vector<BatchResult>& results) const {
    for (size_t i = 0; i < batches.size(); ++i) {
      const std::string fault = FaultOf(batches[i], results[i]);
      if (fault.empty()) continue;
      results[i] = BatchResult{
          .outcome = BatchOutcome::kUnknown,
          .error = Malformed(apply_, "a batch of " + Counted(batches[i].ops.size(), "op"), fault)};
    }
  }

  PluginRecord& plugin_;
  std::unique_ptr<Store> inner_;
  ExtensionGuard<Leases, GuardedLeases> leases_;
  ExtensionGuard<Digests, GuardedDigests> digests_;
  ExtensionGuard<Replicas, GuardedReplicas> replicas_;
  ExtensionGuard<Migrations, GuardedMigrations> migrations_;
  ExtensionGuard<Retention, GuardedRetention> retention_;
  const CallSite& ensure_;
  const CallSite& apply_;
  const CallSite& get_;
  const CallSite& scan_;
};

}  // namespace

std::unique_ptr<Store> Guard(std::unique_ptr<Store> store, PluginRecord& plugin) {
  return std::make_unique<GuardedStore>(std::move(store), plugin);
}

}  // namespace a4c::plugin
