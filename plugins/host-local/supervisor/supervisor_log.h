// A unit's log: segments named after the offset of their first byte, "log.0", "log.1048576", ...;
// the oldest goes when a new one begins, so that at most two are there.
#pragma once

#include <cstdint>
#include <string_view>

namespace a4c::local {

class SegmentLog {
 public:
  // Goes on where the last run ended. bytes_max: of both segments.
  SegmentLog(int directory, int64_t bytes_max);
  ~SegmentLog();
  SegmentLog(const SegmentLog&) = delete;
  SegmentLog& operator=(const SegmentLog&) = delete;

  // What cannot be written, because the disk is full, is left out.
  void Write(std::string_view bytes);

 private:
  void Open(int64_t start);
  void RemoveBefore(int64_t start);

  const int directory_;
  const int64_t segment_bytes_max_;
  int fd_ = -1;
  int64_t start_ = 0;
  int64_t size_ = 0;
};

}  // namespace a4c::local
