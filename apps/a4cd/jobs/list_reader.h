// Lists, in pages that are bounded by records and by bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "a4c/collection.h"
#include "a4c/replicas.h"

namespace a4cd {

// Past so many bytes of records a page has no more of them, and `next` says where the list goes on.
inline constexpr size_t kPageBytesMax = 8 << 20;
// Records read at once: each may be as large as a body, and how large is not known before.
inline constexpr int kPagePartMax = 50;

struct ListPage {
  std::vector<a4c::Record> records;
  std::string next = {};  // where the page after it begins; empty: there is none
  size_t bytes = 0;       // of the bodies
  int64_t stale_ms = 0;   // changes that are no older may be missing; 0: none are
  std::vector<std::vector<a4c::Highlight>> highlights = {};  // one list per record, or none
};

// Of a list's records, `most` behind that place, without `bytes`.
using ReadPart = std::function<a4c::Result<ListPage>(const std::string& after, int most)>;

// Up to `limit` records, by as many parts as it needs: fewer, but one at least, where they are
// large.
a4c::Result<ListPage> ReadPage(const std::string& after, int limit, const ReadPart& read);

// ListReader: pages of what people list. Where the store has replicas, and whoever asks lets the
// answer be a little old, one of them is read; else the primary. Nothing is decided by these pages:
// claims, placement, sync and the reconciler read the Database. [any thread]
class ListReader {
 public:
  // replicas null: the store reads one server only.
  ListReader(a4c::Database& database, a4c::Replicas* replicas)
      : database_(database), replicas_(replicas) {}

  // The call's scopes hold for both.
  a4c::Result<ListPage> Read(const a4c::Call& call, a4c::ScanRequest request, bool may_be_old);

 private:
  a4c::Database& database_;
  a4c::Replicas* const replicas_;
};

}  // namespace a4cd
