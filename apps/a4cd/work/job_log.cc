#include "apps/a4cd/work/job_log.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "a4c/json.h"

namespace a4cd {

using a4c::Committed;
using a4c::Error;
using a4c::Json;
using a4c::Result;

namespace {

constexpr size_t kChunkBytesMax = 64 << 10;
constexpr int64_t kHeadChunksMax = 1'000;  // a program that writes a little now and then
constexpr int64_t kWritePeriodMs = 500;

a4c::RecordRef ChunkRef(const JobRun& run, int64_t seq) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%08lld", static_cast<long long>(seq));
  return {"log_chunk", {run.tenant(), run.job().id + "/" + digits.data()}};
}

}  // namespace

size_t WholeCharacters(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) bytes_max = text.size();
  size_t start = bytes_max;
  while (start > 0 && bytes_max - start < 3 && (text[start - 1] & 0xC0) == 0x80) --start;
  if (start == 0) return bytes_max;
  const auto lead = static_cast<unsigned char>(text[start - 1]);
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  return start - 1 + length > bytes_max ? start - 1 : bytes_max;
}

JobLog::JobLog(JobRun& run) : run_(run) {}

// Earlier attempts have logged too: their chunks stay, and count.
void JobLog::Open() {
  open_ = true;
  int64_t bytes = 0;
  std::string after;
  do {
    const Result<a4c::ScanAnswer> page = run_.Scan({.kind = "log_chunk",
                                                    .index = "by_job",
                                                    .scope = run_.tenant(),
                                                    .prefix = {run_.job().id},
                                                    .after = after,
                                                    .limit = 100});
    if (!page) {
      error_ = page.error();
      return;
    }
    for (const a4c::Record& record : page->records) {
      const Result<Json> body = a4c::ParseJson(record.body);
      if (!body) continue;
      bytes += static_cast<int64_t>((*body)["text"].Text().size());
      seq_ = (*body)["seq"].Int() + 1;
    }
    after = page->next;
  } while (!after.empty());
  const int64_t left = std::max<int64_t>(0, run_.context().options.log_bytes_max - bytes);
  head_left_ = left / 2;
  tail_max_ = left - head_left_;
  chunks_left_ = kHeadChunksMax;
}

void JobLog::Append(std::string_view text) {
  Note(text);
  const int64_t now_ms = run_.context().runtime.clock.MonotonicMs();
  const bool is_full = head_.size() >= kChunkBytesMax && !is_away_;
  if (is_full || now_ms - written_at_ms_ >= kWritePeriodMs) {
    WriteHead(false);
  }
}

void JobLog::Note(std::string_view text) {
  if (!open_) Open();
  if (error_ || run_.gone()) return;
  const int64_t left = chunks_left_ > 0 ? head_left_ - static_cast<int64_t>(head_.size()) : 0;
  const auto room = static_cast<size_t>(std::max<int64_t>(0, left));
  const size_t to_head = text.size() <= room ? text.size() : WholeCharacters(text, room);
  head_ += text.substr(0, to_head);
  if (to_head == text.size()) return;
  KeepTail(text.substr(to_head));
  head_left_ = static_cast<int64_t>(head_.size());  // nothing goes before what is in the tail
}

void JobLog::KeepTail(std::string_view text) {
  tail_ += text;
  const auto max = static_cast<size_t>(tail_max_);
  // Cut only now and then, so that it costs nothing a byte.
  if (tail_.size() <= 2 * max + kChunkBytesMax) return;
  left_out_ += static_cast<int64_t>(tail_.size() - max);
  tail_.erase(0, tail_.size() - max);
}

void JobLog::WriteHead(bool all) {
  while (!head_.empty() && !error_ && !run_.gone()) {
    const size_t size = all && head_.size() <= kChunkBytesMax
                            ? head_.size()
                            : WholeCharacters(head_, kChunkBytesMax);
    if (size == 0) return;
    if (!Write(std::string_view(head_).substr(0, size), all)) return;
    head_.erase(0, size);
    head_left_ -= static_cast<int64_t>(size);
    --chunks_left_;
  }
}

bool JobLog::Write(std::string_view text, bool is_last) {
  written_at_ms_ = run_.context().runtime.clock.MonotonicMs();
  const Json body(
      Json::Object{{"job", run_.job().id}, {"seq", seq_}, {"at", run_.NowMs()}, {"text", text}});
  const a4c::Commit commit{.changes = {{.ref = ChunkRef(run_, seq_), .body = body.ToString()}},
                           .also = {run_.LeaseCheck()}};
  const Result<Committed> done =
      is_last ? run_.Write(commit)
              : run_.context().database.Write(run_.context().StoreCall(), commit);
  is_away_ = !done && done.error().retryable();
  if (is_away_ && !is_last) return false;
  ++seq_;
  // A conflict: the lease is another's, who logs from here on. An unknown outcome: the chunk is
  // there or not, and its number is not used again.
  if (!done && !done.error().unknown_outcome()) error_ = done.error();
  if (done && done->outcome != Committed::Outcome::kApplied) {
    error_ = Error(a4c::Code::kConflict, "the log belongs to another worker now");
  }
  return !error_;
}

Result<void> JobLog::Close() {
  if (!open_) return {};
  WriteHead(true);
  const auto max = static_cast<size_t>(tail_max_);
  if (tail_.size() > max) {
    left_out_ += static_cast<int64_t>(tail_.size() - max);
    tail_.erase(0, tail_.size() - max);
  }
  if (left_out_ > 0) {
    tail_.insert(0, "\n[" + std::to_string(left_out_) + " bytes were left out here]\n");
  }
  while (!tail_.empty() && !error_ && !run_.gone()) {
    const size_t whole = WholeCharacters(tail_, kChunkBytesMax);
    const size_t size = whole == 0 ? tail_.size() : whole;
    if (!Write(std::string_view(tail_).substr(0, size), true)) break;
    tail_.erase(0, size);
  }
  open_ = false;
  if (error_) return *error_;
  return {};
}

}  // namespace a4cd
