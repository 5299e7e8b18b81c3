// The log of a running job: pieces of at most 64 KiB, written while the job runs; of a long one the
// head and the tail are kept, with a line that says how much was left out.
//
//   JobLog log(run);
//   log.Append("placed on local-2\n");
//   A4C_CHECK(log.Close());
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/result.h"
#include "apps/a4cd/work/job_run.h"

namespace a4cd {

// [the worker's thread]
class JobLog {
 public:
  explicit JobLog(JobRun& run);

  // Text that is not valid UTF-8 is shown as well as it can be. While the store is away it is kept,
  // within the bounds of a log. What cannot be written is left out, and Close says why.
  void Append(std::string_view text);
  // A line of our own, in no hurry: written with what comes next.
  void Note(std::string_view text);
  a4c::Result<void> Close();

 private:
  void Open();
  void WriteHead(bool all);
  // False: it was not written. What is not the last comes again.
  bool Write(std::string_view text, bool is_last);
  void KeepTail(std::string_view text);

  JobRun& run_;
  bool open_ = false;
  int64_t seq_ = 0;
  int64_t chunks_left_ = 0;  // of the head
  int64_t head_left_ = 0;    // bytes
  int64_t tail_max_ = 0;
  std::string head_;  // not yet written
  std::string tail_;
  int64_t left_out_ = 0;
  int64_t written_at_ms_ = 0;  // or tried
  bool is_away_ = false;       // the store was, then
  std::optional<a4c::Error> error_;
};

// How many bytes of text, at most bytes_max, do not end in the middle of a character.
size_t WholeCharacters(std::string_view text, size_t bytes_max);

}  // namespace a4cd
