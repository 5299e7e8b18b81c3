// Where a log begins for whoever wants only its end: its last lines, or what came since a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/collection.h"

namespace a4cd {

// How much of its end; both must hold.
struct LogCut {
  std::optional<int64_t> lines = {};     // the last ones; 0: nothing of what is there
  std::optional<int64_t> since_ms = {};  // what was logged before is left out

  bool empty() const { return !lines && !since_ms; }
};

// Finds where the last lines of a text begin, given its pieces from the last to the first.
class LastLines {
 public:
  explicit LastLines(int64_t lines) : left_(lines) {}
  // Where in this piece they begin; nothing: in one before it, or the text has fewer.
  std::optional<size_t> Add(std::string_view piece);

 private:
  int64_t left_;
  bool is_end_ = true;
};

struct LogStart {
  int64_t seq = 0;  // of the chunk
  size_t skip = 0;  // bytes of it that are left out
};

// Of a job's log. Times are those of chunks, so that lines of up to half a second before may be in
// it, and the tail of one that was cut counts as written at its end. kUnsupported: chunks of a
// version that kept no times.
a4c::Result<LogStart> FindLogStart(const a4c::Call& call, a4c::Database& database,
                                   const std::string& tenant, const std::string& job,
                                   const LogCut& cut);

}  // namespace a4cd
