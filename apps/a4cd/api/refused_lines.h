// Which requests without a good key get a line in the log: so many a minute, so that a flood of
// them fills no disk, and of one address fewer, so that its flood hides no other.
//
//   if (const int64_t left_out = lines.TakeLeftOut(); left_out > 0) ...   // say so
//   if (lines.Take(request.remote)) ...                                   // a line of its own
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "a4c/clock.h"

namespace a4cd {

// [any thread]
class RefusedLines {
 public:
  static constexpr int kPerMinute = 60;  // about 20 MB a day at the most
  static constexpr int kOfOneAddressPerMinute = 10;

  // The clock outlives it.
  explicit RefusedLines(const a4c::Clock& clock) : clock_(clock) {}

  // Whether a request from there gets a line; else it is counted.
  bool Take(const std::string& remote);
  // How many got none in a minute that has ended; 0 when it was told.
  int64_t TakeLeftOut();

 private:
  // A minute that has ended, and more.
  bool IsOver() const;

  const a4c::Clock& clock_;
  std::mutex mutex_;
  int lines_ = 0;                          // guarded by mutex_, as is the next
  std::map<std::string, int> of_address_;  // at most kPerMinute
  std::atomic<int64_t> began_ms_ = INT64_MIN;
  std::atomic<int64_t> left_out_ = 0;
};

}  // namespace a4cd
