#include "a4c/digests.h"

#include <bitset>

#include "a4c/store.h"
#include "base/scan_digests.h"

namespace a4c {
namespace {

constexpr int kPageRecords = 1000;

class StoreDigests final : public Digests {
 public:
  StoreDigests(Store& store, DigestProgress progress)
      : store_(store), progress_(std::move(progress)) {}

  Result<DigestSums> Sums(const Call& call, const Kind& kind) override {
    DigestSums sums{};
    A4C_CHECK(ScanDigests(store_, call, kind, progress_,
                          [&sums](int bucket, const DigestRow& row) -> Result<void> {
                            sums[static_cast<size_t>(bucket)].count += 1;
                            sums[static_cast<size_t>(bucket)].sum += row.digest;
                            return {};
                          }));
    return sums;
  }

  Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                      std::span<const int> buckets) override {
    std::bitset<kDigestBuckets> asked;
    for (const int bucket : buckets) asked.set(static_cast<size_t>(bucket));
    std::vector<DigestRow> rows;
    A4C_CHECK(
        ScanDigests(store_, call, kind, progress_, [&](int bucket, DigestRow row) -> Result<void> {
          if (asked.test(static_cast<size_t>(bucket))) rows.push_back(std::move(row));
          return {};
        }));
    return rows;
  }

 private:
  Store& store_;
  const DigestProgress progress_;
};

}  // namespace

Result<void> ScanDigests(Store& store, const Call& call, const Kind& kind,
                         const DigestProgress& progress,
                         const std::function<Result<void>(int bucket, DigestRow row)>& visit) {
  ScanRequest request{.kind = kind.name, .limit = kPageRecords};
  int64_t read = 0;
  do {
    A4C_TRY(ScanAnswer page, store.Scan(call, request));
    for (Record& record : page.records) {
      const uint32_t digest = DigestOf(record.ref.key.id, record.rev, BodyHash(record.body),
                                       record.tombstone, kind.version);
      const int bucket = DigestBucket(record.ref.key.id);
      A4C_CHECK(visit(bucket, DigestRow{std::move(record.ref.key), record.rev, digest}));
    }
    read += static_cast<int64_t>(page.records.size());
    if (progress) A4C_CHECK(progress(read));
    request.after = page.next;
  } while (!request.after.empty());
  return {};
}

std::unique_ptr<Digests> NewStoreDigests(Store& store, DigestProgress progress) {
  return std::make_unique<StoreDigests>(store, std::move(progress));
}

}  // namespace a4c
