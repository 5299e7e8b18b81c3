#include "apps/a4cd/jobs/list_reader.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace a4cd {
namespace {

using a4c::Result;

// How many are taken until there are so many bytes, or more by the last one.
int CountWithin(const std::vector<a4c::Record>& records, size_t bytes_max) {
  size_t bytes = 0;
  int count = 0;
  for (const a4c::Record& record : records) {
    if (bytes >= bytes_max) break;
    bytes += record.body.size();
    ++count;
  }
  return count;
}

// A part of the page that has no more than the page has room for. Where the list goes on behind
// those that have room is the store's to say: it is asked for as many.
Result<ListPage> ReadFitting(const ListPage& page, int most, const ReadPart& read) {
  while (true) {
    A4C_TRY(ListPage part, read(page.next, most));
    const int fitting = CountWithin(part.records, kPageBytesMax - page.bytes);
    if (fitting == std::ssize(part.records)) return part;
    most = fitting;
  }
}

template <typename T>
void MoveInto(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::move_iterator(from.begin()), std::move_iterator(from.end()));
}

}  // namespace

Result<ListPage> ReadPage(const std::string& after, int limit, const ReadPart& read) {
  ListPage page{.records = {}, .next = after};
  do {
    const int lacking = limit - static_cast<int>(page.records.size());
    A4C_TRY(ListPage part, ReadFitting(page, std::min(lacking, kPagePartMax), read));
    for (const a4c::Record& record : part.records) page.bytes += record.body.size();
    MoveInto(page.records, part.records);
    MoveInto(page.highlights, part.highlights);
    page.next = std::move(part.next);
    page.stale_ms = std::max(page.stale_ms, part.stale_ms);
  } while (!page.next.empty() && std::ssize(page.records) < limit && page.bytes < kPageBytesMax);
  return page;
}

Result<ListPage> ListReader::Read(const a4c::Call& call, a4c::ScanRequest request,
                                  bool may_be_old) {
  const auto read = [&](const std::string& after, int most) -> Result<ListPage> {
    request.after = after;
    request.limit = most;
    if (may_be_old && replicas_ != nullptr) {
      A4C_TRY(a4c::ReplicaScan part, replicas_->ScanReplica(call, request));
      return ListPage{.records = std::move(part.scan.records),
                      .next = std::move(part.scan.next),
                      .stale_ms = part.stale_ms_max};
    }
    A4C_TRY(a4c::ScanAnswer part, database_.Scan(call, request));
    return ListPage{.records = std::move(part.records), .next = std::move(part.next)};
  };
  return ReadPage(std::string(request.after), request.limit, read);
}

}  // namespace a4cd
