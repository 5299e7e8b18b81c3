#include "bench/boundary/empty_store/empty_store.h"

namespace a4c::bench {
namespace {

class EmptyStore final : public Store {
 public:
  Result<void> Ensure(const Call&, std::span<const Kind>) override { return {}; }
  Result<ApplyAnswer> Apply(const Call&, std::span<const WriteBatch>) override {
    return ApplyAnswer{};
  }
  Result<GetAnswer> Get(const Call&, std::span<const RecordRef>) override { return GetAnswer{}; }
  Result<ScanAnswer> Scan(const Call&, const ScanRequest&) override { return ScanAnswer{}; }
};

}  // namespace

std::unique_ptr<Store> NewEmptyStore() {
  return std::make_unique<EmptyStore>();
}

}  // namespace a4c::bench
