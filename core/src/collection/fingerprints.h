// What an index was seen to hold: of each record just enough to tell whether the store's is the
// same, 16 bytes, so that an index of millions can be compared.
//
//   held.Add(row.key, bucket, row.digest); ... held.Sort();
//   if (!held.Holds(key, digest)) ...      // the index has not this record as it is stored
//   for (int bucket : held.UnseenBuckets()) ...   // there are others that were not asked for
#pragma once

#include <cstdint>
#include <vector>

#include "a4c/record.h"

namespace a4c {

// Keys are told apart by 64 bits of a hash: where two share one, and digests too, a difference is
// missed.
class Fingerprints {
 public:
  void Add(const Key& key, int bucket, uint32_t digest);
  // After the last Add, before all else.
  void Sort();
  // Notes that there is such a record, too.
  bool Holds(const Key& key, uint32_t digest);

  // Those of records that Holds was never asked for.
  std::vector<int> UnseenBuckets() const;
  bool IsUnseen(const Key& key) const;

 private:
  struct Entry {
    uint64_t key = 0;
    uint32_t digest = 0;
    uint16_t bucket = 0;
    bool is_seen = false;
  };
  std::vector<Entry> entries_;
};

}  // namespace a4c
