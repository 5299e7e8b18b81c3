#include "apps/a4c/commands/batch.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "apps/a4c/commands/commands.h"

namespace a4c_cli {
namespace {

using a4c::Json;
using a4c::Result;

struct Totals {
  int64_t created = 0;
  int64_t failed = 0;
};

// The first fault of the line, and what helps.
std::string WhyNot(const Json& problem) {
  std::string why = problem["detail"].Text();
  const Json& faults = problem["errors"];
  if (!faults.Items().empty()) {
    const Json& first = faults.Items().front();
    why = first["pointer"].Text() + " " + first["detail"].Text();
    if (!first["hint"].Text().empty()) why += " (" + first["hint"].Text() + ")";
  }
  return why;
}

std::string TotalsText(const Totals& totals) {
  return std::to_string(totals.created) + " created, " + std::to_string(totals.failed) + " failed";
}

// How far a file is, on a terminal.
class BatchProgress {
 public:
  BatchProgress(Session& session, const std::string& file)
      : session_(session), started_ms_(session.runtime.clock.MonotonicMs()) {
    std::error_code error;
    if (file == "-" || !std::filesystem::is_regular_file(file, error)) return;
    const auto bytes = std::filesystem::file_size(file, error);
    if (!error) bytes_total_ = static_cast<int64_t>(bytes);
  }

  void Sent(const std::string& lines, const Totals& totals) {
    bytes_sent_ += static_cast<int64_t>(lines.size());
    session_.ShowProgress(BarText(bytes_sent_, bytes_total_) + TotalsText(totals) + Left());
  }

 private:
  std::string Left() const {
    if (bytes_sent_ <= 0 || bytes_total_ <= bytes_sent_) return " ...";
    const auto elapsed_ms = static_cast<double>(session_.runtime.clock.MonotonicMs() - started_ms_);
    const double ahead =
        static_cast<double>(bytes_total_ - bytes_sent_) / static_cast<double>(bytes_sent_);
    return ", about " + std::to_string(static_cast<int64_t>(elapsed_ms * ahead / 1000) + 1) +
           " s left";
  }

  Session& session_;
  const int64_t started_ms_;
  int64_t bytes_total_ = 0;  // 0: not known
  int64_t bytes_sent_ = 0;
};

// What was created before an error is there: the rest is to be sent, and not all once more.
void NoteRest(const Session& session, const Totals& totals, int64_t first_line) {
  session.Note(TotalsText(totals) + "; from line " + std::to_string(first_line) +
               " on there is no answer");
}

// Lines that go in one request.
struct Chunk {
  std::string lines;
  int64_t first = 1;  // their numbers in the file
  int64_t last = 0;   // of those that are not empty
};

void ShowResult(Session& session, const Json& result) {
  if (session.format() == Format::kNdjson || isatty(STDOUT_FILENO) == 0) {
    session.ShowText(result.ToString() + "\n");
  } else if (result["status"].Int() != 201) {
    session.Note("line " + std::to_string(result["line"].Int()) + ": " + WhyNot(result["problem"]));
  }
}

// The last line that has a result. One of line 0 is about the request: the rest of it was not read.
int64_t TakeResults(Session& session, const std::string& text, const Chunk& chunk, Totals& totals) {
  int64_t last = chunk.first - 1;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    Result<Json> parsed = a4c::ParseJson(text.substr(at, end - at));
    at = end + 1;
    if (!parsed) continue;
    Json result = *std::move(parsed);
    const bool is_line = result["line"].Int() > 0;
    if (is_line) {
      last = chunk.first - 1 + result["line"].Int();
      ++(result["status"].Int() == 201 ? totals.created : totals.failed);
    }
    result.Set("line", is_line ? last : last + 1);
    ShowResult(session, result);
  }
  return last;
}

// False: some have no answer; exit_code is set.
bool SendChunk(Session& session, const Chunk& chunk, Totals& totals) {
  Reply reply;
  int64_t last = chunk.first - 1;
  if (session.Send({"POST", "/v1/jobs:batch", chunk.lines, "application/x-ndjson"}, reply)) {
    last = TakeResults(session, reply.text, chunk, totals);
    if (last >= chunk.last) return true;
    session.exit_code = kFailed;
  }
  NoteRest(session, totals, last + 1);
  return false;
}

}  // namespace

int SubmitBatch(Session& session, const BatchOptions& options) {
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file, std::ios::binary);
    if (!file) {
      return session.Complain(
          a4c::Error(a4c::Code::kInvalid, "the file " + options.file + " cannot be read"));
    }
  }
  std::istream& input = options.file == "-" ? std::cin : file;
  BatchProgress progress(session, options.file);
  Totals totals;
  Chunk chunk;
  std::string line;
  // A request stays well below the API's bound of a batch.
  constexpr size_t kChunkBytesMax = 8u << 20;
  for (int64_t number = 1; std::getline(input, line); ++number) {
    if (!line.empty() && line != "\r") chunk.last = number;
    chunk.lines += line + "\n";
    const bool is_full =
        number - chunk.first + 1 >= options.chunk_lines || chunk.lines.size() >= kChunkBytesMax;
    if (!is_full) continue;
    if (!SendChunk(session, chunk, totals)) return session.exit_code;
    progress.Sent(chunk.lines, totals);
    chunk = {.lines = {}, .first = number + 1};
  }
  if (input.bad()) {
    return session.Complain(
        a4c::Error(a4c::Code::kInvalid, "the file " + options.file + " cannot be read"));
  }
  if (!chunk.lines.empty() && !SendChunk(session, chunk, totals)) return session.exit_code;
  session.Note(TotalsText(totals));
  return totals.failed == 0 ? kOk : kFailed;
}

}  // namespace a4c_cli
