#include "a4c/digests.h"

#include <algorithm>

#include "a4c/store.h"

namespace a4c {
namespace {

constexpr int kPageRecords = 1000;

class StoreDigests final : public Digests {
 public:
  StoreDigests(Store& store, DigestProgress progress)
      : store_(store), progress_(std::move(progress)) {}

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    DigestSums sums{};
    A4C_CHECK(ForEach(call, kind, [&sums](int bucket, const DigestRow& row) {
      sums[static_cast<size_t>(bucket)].count += 1;
      sums[static_cast<size_t>(bucket)].sum += row.digest;
    }));
    return sums;
  }

  Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                      std::span<const int> buckets) override {
    std::vector<DigestRow> rows;
    A4C_CHECK(ForEach(call, kind, [&](int bucket, DigestRow row) {
      if (std::ranges::find(buckets, bucket) != buckets.end()) rows.push_back(std::move(row));
    }));
    return rows;
  }

 private:
  template <typename Visit>
  Result<void> ForEach(const Call& call, const Kind& kind, const Visit& visit) {
    ScanRequest request{.kind = kind.name, .limit = kPageRecords};
    int64_t read = 0;
    do {
      A4C_TRY(ScanAnswer page, store_.Scan(call, request));
      for (Record& record : page.records) {
        const uint32_t digest = DigestOf(record.ref.key.id, record.rev, BodyHash(record.body),
                                         record.tombstone, kind.version);
        const int bucket = DigestBucket(record.ref.key.id);
        visit(bucket, DigestRow{std::move(record.ref.key), record.rev, digest});
      }
      read += static_cast<int64_t>(page.records.size());
      if (progress_) A4C_CHECK(progress_(read));
      request.after = page.next;
    } while (!request.after.empty());
    return {};
  }

  Store& store_;
  const DigestProgress progress_;
};

}  // namespace

std::unique_ptr<Digests> NewStoreDigests(Store& store, DigestProgress progress) {
  return std::make_unique<StoreDigests>(store, std::move(progress));
}

}  // namespace a4c
