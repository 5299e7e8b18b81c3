#include "collection/fingerprints.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

namespace a4c {
namespace {

uint64_t HashOf(const Key& key) {
  constexpr std::hash<std::string_view> kHash;
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // so that scope and id do not change places
  return kHash(key.scope) * kOdd ^ kHash(key.id);
}

}  // namespace

void Fingerprints::Add(const Key& key, int bucket, uint32_t digest) {
  entries_.push_back(
      {.key = HashOf(key), .digest = digest, .bucket = static_cast<uint16_t>(bucket)});
}

void Fingerprints::Sort() {
  std::ranges::sort(entries_, {}, &Entry::key);
}

bool Fingerprints::Holds(const Key& key, uint32_t digest) {
  bool is_held = false;
  for (Entry& entry : std::ranges::equal_range(entries_, HashOf(key), {}, &Entry::key)) {
    entry.is_seen = true;
    is_held = is_held || entry.digest == digest;
  }
  return is_held;
}

std::vector<int> Fingerprints::UnseenBuckets() const {
  std::set<int> buckets;
  for (const Entry& entry : entries_) {
    if (!entry.is_seen) buckets.insert(entry.bucket);
  }
  return {buckets.begin(), buckets.end()};
}

bool Fingerprints::IsUnseen(const Key& key) const {
  const auto found = std::ranges::equal_range(entries_, HashOf(key), {}, &Entry::key);
  return std::ranges::any_of(found, [](const Entry& entry) { return !entry.is_seen; });
}

}  // namespace a4c
