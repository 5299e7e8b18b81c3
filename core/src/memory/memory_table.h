// One kind's records in memory: by key, and in the order of every index. [guarded by the store]
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "a4c/batch_rules.h"
#include "a4c/scan_rules.h"

namespace a4c {

class MemoryTable {
 public:
  explicit MemoryTable(const Kind& kind);

  const Kind& kind() const { return kind_; }
  // The same records under another version of the kind. kInvalid: a record does not fit it.
  Result<MemoryTable> Migrated(const Call& call, const Kind& kind) const;

  std::optional<StoredRow> Find(const Key& key) const;
  std::optional<Key> Holder(const UniqueClaim& claim) const;
  std::optional<Record> Read(const Key& key) const;
  void Write(const RowChange& change);
  // Those of an age before that; true: there may be more.
  bool Forget(int64_t before_ms, size_t records_max);
  // Fills records and next.
  void Scan(const ScanPlan& plan, const ScanRequest& request, ScanAnswer& answer) const;

 private:
  struct Row {
    StoredRow stored;
    std::string body;
    FieldValues indexed;
  };
  // A record's place in an index; scope is empty if the index is unscoped.
  struct Entry {
    std::string scope;
    std::vector<Scalar> values;
    Key key;
  };
  // The place before (or behind) all entries whose scope and leading values are these.
  struct Edge {
    std::string scope;
    std::vector<Scalar> values;
    bool behind = false;
  };
  struct Order {
    using is_transparent = void;
    bool operator()(const Entry& a, const Entry& b) const;
    bool operator()(const Entry& entry, const Edge& edge) const;
    bool operator()(const Edge& edge, const Entry& entry) const;
  };
  using Index = std::set<Entry, Order>;

  std::optional<Entry> EntryOf(const ScanIndex& index, const Key& key, const Row& row) const;
  void Enter(const Key& key, const Row& row);
  void Leave(const Key& key, const Row& row);
  Record RecordOf(const Key& key, const Row& row) const;
  const Index& IndexOf(const ScanPlan& plan) const;
  template <typename Visit>
  static void Walk(const Index& index, const ScanPlan& plan, const ScanRequest& request,
                   Visit visit);

  Kind kind_;
  std::map<Key, Row> rows_;
  Index by_id_;
  std::map<std::string, Index, std::less<>> indexes_;
};

}  // namespace a4c
