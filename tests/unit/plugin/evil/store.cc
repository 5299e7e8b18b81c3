// A store that does its (small) work unless `mode` says otherwise.
#include <cstdlib>

#include "a4c/digests.h"
#include "a4c/leases.h"
#include "a4c/plugin.h"
#include "tests/unit/plugin/evil/mode.h"

#ifdef EVIL_OLD_TAG
#undef A4C_ABI_TAG_Store
#define A4C_ABI_TAG_Store "A4C_ABI_TAG=store/00000000dead/cxx11abi1/202002L"
#endif
#ifdef EVIL_UNKNOWN_INTERFACE
#undef A4C_ABI_TAG_Store
#define A4C_ABI_TAG_Store "A4C_ABI_TAG=granary/00000000dead/cxx11abi1/202002L"
#endif

#ifdef EVIL_UNDEFINED_SYMBOL
extern "C" int a4c_function_that_was_removed();
extern "C" __attribute__((used)) int UseIt() {
  return a4c_function_that_was_removed();
}
#endif

namespace {

// Shows a test whether this file was ever opened.
__attribute__((constructor)) void Opened() {
  setenv("A4C_TEST_OPENED", EVIL_NAME, 1);
}

class EvilLeases final : public a4c::Leases {
 public:
  explicit EvilLeases(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<std::vector<a4c::Claimed>> Claim(const a4c::Call&,
                                               const a4c::ClaimRequest& request) override {
    mode_.Act("Leases.Claim");
    const int extra = mode_.Is("too_many", "Leases.Claim") ? 1 : 0;
    return std::vector<a4c::Claimed>(static_cast<size_t>(request.count + extra));
  }
  a4c::Result<std::vector<bool>> Renew(const a4c::Call&, std::span<const a4c::Lease> leases,
                                       int64_t) override {
    mode_.Act("Leases.Renew");
    return std::vector<bool>(leases.size() - (mode_.Is("too_few", "Leases.Renew") ? 1 : 0), true);
  }
  a4c::Result<std::vector<bool>> Release(const a4c::Call&,
                                         std::span<const a4c::Lease> leases) override {
    mode_.Act("Leases.Release");
    return std::vector<bool>(leases.size() - (mode_.Is("too_few", "Leases.Release") ? 1 : 0), true);
  }

 private:
  const evil::Mode& mode_;
};

class EvilDigests final : public a4c::Digests {
 public:
  explicit EvilDigests(const evil::Mode& mode) : mode_(mode) {}
  a4c::Result<a4c::DigestSums> Sums(const a4c::Call&, const a4c::Kind&) override {
    mode_.Act("Digests.Sums");
    return a4c::DigestSums{};
  }
  a4c::Result<std::vector<a4c::DigestRow>> Rows(const a4c::Call&, const a4c::Kind&,
                                                std::span<const int>) override {
    mode_.Act("Digests.Rows");
    return std::vector<a4c::DigestRow>{};
  }

 private:
  const evil::Mode& mode_;
};

class EvilStore final : public a4c::Store {
 public:
  EvilStore(const a4c::Config& config, const a4c::Runtime& runtime) : mode_(config, runtime) {}
  ~EvilStore() override { mode_.Act("destructor"); }

  a4c::Result<void> Ensure(const a4c::Call&, std::span<const a4c::Kind>) override {
    mode_.Act("Ensure");
    return {};
  }

  a4c::Result<a4c::ApplyAnswer> Apply(const a4c::Call& call,
                                      std::span<const a4c::WriteBatch> batches) override {
    mode_.Act("Apply");
    mode_.Hang("Apply", call);
    a4c::ApplyAnswer answer{1, {}};
    for (const a4c::WriteBatch& batch : batches) {
      answer.results.push_back({.outcome = a4c::BatchOutcome::kApplied,
                                .values = std::vector<int64_t>(batch.ops.size(), 1)});
    }
    if (mode_.Is("too_few", "Apply")) answer.results.pop_back();
    if (!answer.results.empty()) Spoil(answer.results.back());
    return answer;
  }

  a4c::Result<a4c::GetAnswer> Get(const a4c::Call& call,
                                  std::span<const a4c::RecordRef> refs) override {
    mode_.Act("Get");
    mode_.Hang("Get", call);
    if (mode_.Is("fail", "Get")) return a4c::Error(a4c::Code::kUnavailable, "the server is away");
    const size_t missing = mode_.Is("too_few", "Get") ? 1 : 0;
    std::vector<std::optional<a4c::Record>> records(refs.size() - missing);
    if (mode_.Is("other_record", "Get")) records[0] = a4c::Record{.ref = {"photo", {"", "other"}}};
    return a4c::GetAnswer{1, std::move(records)};
  }

  a4c::Result<a4c::ScanAnswer> Scan(const a4c::Call&, const a4c::ScanRequest& request) override {
    mode_.Act("Scan");
    const int extra = mode_.Is("too_many", "Scan") ? 1 : 0;
    return a4c::ScanAnswer{
        1, std::vector<a4c::Record>(static_cast<size_t>(request.limit + extra)), {}};
  }

 private:
  // Answers that a caller could not use.
  void Spoil(a4c::BatchResult& result) const {
    if (mode_.Is("no_value", "Apply")) result.values.clear();
    if (mode_.Is("no_failure", "Apply")) result.outcome = a4c::BatchOutcome::kConflict;
    if (mode_.Is("wrong_op", "Apply")) {
      result = {.outcome = a4c::BatchOutcome::kConflict, .failures = {{.op = 7}}};
    }
    if (mode_.Is("no_error", "Apply")) result.outcome = a4c::BatchOutcome::kNotApplied;
    if (mode_.Is("no_outcome", "Apply")) result.outcome = static_cast<a4c::BatchOutcome>(99);
  }

  void* Extension(std::string_view name) override {
    mode_.Act("As");
    if (name == a4c::Leases::kExtension) return static_cast<a4c::Leases*>(&leases_);
    if (name == a4c::Digests::kExtension) return static_cast<a4c::Digests*>(&digests_);
    return this;  // claims to be anything
  }

  evil::Mode mode_;
  EvilLeases leases_{mode_};
  EvilDigests digests_{mode_};
};

a4c::Result<std::unique_ptr<a4c::Store>> Make(const a4c::Config& config,
                                              const a4c::Runtime& runtime) {
  evil::Mode(config, runtime).Act("factory");
  if (config.String("mode") == "null") return std::unique_ptr<a4c::Store>();
  if (config.String("mode") == "refuse") return a4c::Error(a4c::Code::kDenied, "not today");
  return std::unique_ptr<a4c::Store>(new EvilStore(config, runtime));
}

constexpr a4c::AbsentCapability kAbsent[] = {{"replicas", "there is one copy"}};

}  // namespace

A4C_PLUGIN(Store, EVIL_NAME, "a store for tests of the host", evil::kKeys, kAbsent, Make);
