// Digests: sums by which a store and a search index prove that they agree, without listing either.
//
// Of each record: h = 32-bit mix of (id, rev, BodyHash(body), tombstone, projection), see DigestOf.
// Ids fall into 1,024 buckets by DigestBucket(id); a bucket's digest is the count and the sum of h,
// below 2^53 so that engines that sum in doubles stay exact.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "a4c/call.h"
#include "a4c/record.h"
#include "a4c/result.h"

namespace a4c {

inline constexpr int kDigestBuckets = 1024;

struct DigestBucketSum {
  int64_t count = 0;
  int64_t sum = 0;
  bool operator==(const DigestBucketSum&) const = default;
};
using DigestSums = std::array<DigestBucketSum, kDigestBuckets>;

// What one record adds to its bucket's sum.
A4C_API uint32_t DigestOf(std::string_view id, int64_t rev, uint32_t body_hash, bool tombstone,
                          int projection);

// One record's part of a sum.
struct DigestRow {
  Key key;
  int64_t rev = 0;
  uint32_t digest = 0;
};

// Offered by stores and by search indexes that can sum by themselves (As<Digests>()). An index sums
// the projection that each document was put with; a store has none, and takes kind.version, that of
// the kind it is asked for: it answers as NewStoreDigests() over it does, to the last bit.
// Tombstones are left out on both sides: a deleted record that the index still shows, or the
// reverse, differs all the same, and purging changes no sum.
class Digests {
 public:
  static constexpr std::string_view kExtension = "a4c.digests";
  virtual ~Digests() = default;
  virtual Result<DigestSums> Sums(const Call& call, const Kind& kind) = 0;
  // The rows of these buckets (few: only those whose sums differ), in no particular order.
  virtual Result<std::vector<DigestRow>> Rows(const Call& call, const Kind& kind,
                                              std::span<const int> buckets) = 0;
};

class Store;
// Told how many records have been read so far; an error from it ends the reading.
using DigestProgress = std::function<Result<void>(int64_t records)>;
// Over any store, by scanning in the order of ids. Costs a full read.
A4C_API std::unique_ptr<Digests> NewStoreDigests(Store& store, DigestProgress progress = {});

}  // namespace a4c
