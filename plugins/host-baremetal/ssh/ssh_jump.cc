#include "ssh/ssh_jump.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace a4c::baremetal {
namespace {

constexpr size_t kAheadBytesMax = 64u << 10;

}  // namespace

// Nothing: not now. 0: the end.
Result<std::optional<size_t>> SshJump::Next(char* buffer, size_t size) {
  if (ahead_.empty()) {
    if (ended_) return std::optional<size_t>(0);
    return channel_->ReadNow(buffer, size);
  }
  const size_t count = std::min(size, ahead_.size());
  std::copy_n(ahead_.data(), count, buffer);
  ahead_.erase(0, count);
  return std::optional<size_t>(count);
}

ssize_t SshJump::Receive(char* buffer, size_t size) {
  if (cut_) return -ECONNRESET;
  const auto count = Next(buffer, size);
  if (!count) return -ECONNRESET;
  return *count ? static_cast<ssize_t>(**count) : -EAGAIN;
}

// What keeps us from writing may be a reading that is half done.
Result<size_t> SshJump::WriteSome(std::string_view bytes) {
  A4C_TRY(const size_t count, channel_->WriteNow(bytes));
  if (count > 0 || ended_ || ahead_.size() >= kAheadBytesMax) return count;
  std::array<char, 16u << 10> piece;
  A4C_TRY(const auto came, channel_->ReadNow(piece.data(), piece.size()));
  if (came) {
    ended_ = *came == 0;
    ahead_.append(piece.data(), *came);
  }
  return channel_->WriteNow(bytes);
}

// As much as can be now: whoever is told that it was a part waits for a sign of the server.
ssize_t SshJump::Send(const char* bytes, size_t size) {
  size_t sent = 0;
  while (!cut_ && sent < size) {
    const auto count = WriteSome({bytes + sent, size - sent});
    if (!count) return -ECONNRESET;
    if (*count == 0) return sent > 0 ? static_cast<ssize_t>(sent) : -EAGAIN;
    sent += *count;
  }
  return cut_ ? -ECONNRESET : static_cast<ssize_t>(sent);
}

}  // namespace a4c::baremetal
