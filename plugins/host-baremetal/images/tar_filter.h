// Leaves files out of a tar stream by their path; all else passes byte for byte. No I/O of its own.
//
//   TarFilter filter(archive, IsLayerThatIsThere, bytes_max);
//   A4C_TRY(const std::string piece, filter.Read());  // empty at the end
//
// With a file goes what says more of it: GNU's long names and pax headers. The stream is of
// somebody else: one that is out of form, too long or cut off is an error, kInvalid or
// kUnavailable.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/host_images.h"

namespace a4c::baremetal {

// [one thread]
class TarFilter {
 public:
  // Asked once of each regular file; never of links and directories.
  using LeaveOut = std::function<bool(std::string_view path)>;

  // bytes_max: of the whole stream, what is left out included. `from` outlives the filter.
  TarFilter(const ByteSource& from, LeaveOut leave_out, int64_t bytes_max)
      : from_(from), leave_out_(std::move(leave_out)), bytes_max_(bytes_max) {}

  // A ByteSource: the next piece of what stays, empty at the end of a whole archive.
  Result<std::string> Read();

  // Until now: files with their padding, and what says more of them.
  int64_t bytes_left_out() const { return bytes_left_out_; }

 private:
  enum class State : uint8_t {
    kPass,   // of the body, or after the last entry
    kDrop,   // the body of a file that is left out
    kGather  // the body of what says more of the next entry
  };

  Result<bool> Fill();
  Result<void> Take(std::string& out);
  Result<void> TakeHeader(std::string_view block, std::string& out);
  Result<void> TakeBody(std::string_view bytes, std::string& out);
  Result<void> BeginMore(char type, std::string_view block, int64_t size);
  Result<void> BeginEntry(char type, std::string_view block, int64_t size, std::string& out);
  Result<void> ReadMore();
  Result<void> ReadPax(std::string_view records);
  Result<void> BeginBody(State state, int64_t size);
  Result<void> CheckEnd() const;

  const ByteSource& from_;
  const LeaveOut leave_out_;
  const int64_t bytes_max_;
  int64_t bytes_read_ = 0;
  int64_t bytes_left_out_ = 0;
  std::string buffer_;  // read, not yet taken
  State state_ = State::kPass;
  int64_t left_ = 0;  // of the body, its padding included
  bool ended_ = false;

  // What says more of the next entry, as it came, until that shows whether it stays.
  std::string more_;
  size_t more_at_ = 0;     // where the body that is being gathered begins
  int64_t more_size_ = 0;  // of that body, without padding
  char more_type_ = 0;
  std::optional<std::string> path_;
  std::optional<int64_t> size_;
};

}  // namespace a4c::baremetal
