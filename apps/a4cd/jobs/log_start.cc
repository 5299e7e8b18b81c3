#include "apps/a4cd/jobs/log_start.h"

#include "a4c/json.h"

namespace a4cd {

using a4c::Json;
using a4c::Result;

std::optional<size_t> LastLines::Add(std::string_view piece) {
  if (left_ == 0) return piece.size();
  size_t end = piece.size();
  // What ends the last line begins no other.
  if (is_end_ && end > 0) {
    is_end_ = false;
    if (piece.ends_with('\n')) --end;
  }
  while (end > 0) {
    const size_t at = piece.rfind('\n', end - 1);
    if (at == std::string_view::npos) break;
    if (--left_ == 0) return at + 1;
    end = at;
  }
  return std::nullopt;
}

Result<LogStart> FindLogStart(const a4c::Call& call, a4c::Database& database,
                              const std::string& tenant, const std::string& job,
                              const LogCut& cut) {
  std::optional<LogStart> start;
  LastLines lines(cut.lines.value_or(INT64_MAX));
  std::string after;
  do {
    A4C_TRY(const a4c::ScanAnswer page, database.Scan(call, {.kind = "log_chunk",
                                                             .index = "by_job",
                                                             .scope = tenant,
                                                             .prefix = {job},
                                                             .descending = true,
                                                             .after = after,
                                                             .limit = 16}));
    for (const a4c::Record& record : page.records) {
      A4C_TRY(const Json chunk, a4c::ParseJson(record.body));
      const int64_t seq = chunk["seq"].Int();
      if (!start) start = LogStart{.seq = seq + 1};
      if (cut.since_ms && !chunk["at"].IsInt()) {
        return a4c::Error(a4c::Code::kUnsupported,
                          "this log is of a version of a4cd that kept no times with it",
                          "leave since out, or ask for the last lines: tail=100");
      }
      if (cut.since_ms && chunk["at"].Int() < *cut.since_ms) return *start;
      if (const auto skip = lines.Add(chunk["text"].Text())) return LogStart{seq, *skip};
      start = LogStart{.seq = seq};
    }
    after = page.next;
  } while (!after.empty());
  return start.value_or(LogStart{});
}

}  // namespace a4cd
