#include "a4c/digests.h"

#include "a4c/store.h"

namespace a4c {
namespace {

constexpr int kPageRecords = 1000;

class StoreDigests final : public Digests {
 public:
  explicit StoreDigests(Store& store) : store_(store) {}

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    DigestSums sums{};
    ScanRequest request{.kind = kind.name, .limit = kPageRecords};
    do {
      A4C_TRY(ScanAnswer page, store_.Scan(call, request));
      for (const Record& record : page.records) AddTo(sums, record, kind.version);
      request.after = page.next;
    } while (!request.after.empty());
    return sums;
  }

 private:
  static void AddTo(DigestSums& sums, const Record& record, int projection) {
    const std::string& id = record.ref.key.id;
    DigestBucketSum& bucket = sums[static_cast<size_t>(DigestBucket(id))];
    ++bucket.count;
    bucket.sum += DigestOf(id, record.rev, BodyHash(record.body), record.tombstone, projection);
  }

  Store& store_;
};

}  // namespace

std::unique_ptr<Digests> NewStoreDigests(Store& store) {
  return std::make_unique<StoreDigests>(store);
}

}  // namespace a4c
