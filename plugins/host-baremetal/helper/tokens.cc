#include "tokens.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "files.h"

namespace a4c::helper {
namespace {

constexpr size_t kFileBytesMax = 512;

Result<void> CheckToken(const std::string& token) {
  const bool fits = std::ranges::all_of(token, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  if (fits && token.size() >= 16 && token.size() <= 128) return {};
  return Error(Code::kInvalid, "token: 16 to 128 letters and digits");
}

Error Denied() {
  return Error(Code::kDenied,
               "this server knows another incarnation of the store: it was restored or cloned, or "
               "has not presented itself");
}

// One rotation at a time, whoever sends it.
Result<Fd> Lock(const std::string& path) {
  Fd file(open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || flock(file.get(), LOCK_EX) != 0) return SystemError(errno, path);
  return file;
}

}  // namespace

Result<Tokens::Known> Tokens::Read() const {
  A4C_TRY(const auto text, ReadFile(path_, kFileBytesMax));
  if (!text) return Known{};
  const size_t space = text->find(' ');
  const size_t end = text->find('\n');
  if (space == std::string::npos || end == std::string::npos || space > end) {
    return Error(Code::kInternal, "the file of the token is damaged");
  }
  return Known{text->substr(0, space), text->substr(space + 1, end - space - 1)};
}

Result<void> Tokens::Adopt(const std::string& token) const {
  A4C_TRY(const Fd lock, Lock(path_));
  if (token.empty()) {
    if (unlink(path_.c_str()) != 0 && errno != ENOENT) return SystemError(errno, path_);
    return {};
  }
  A4C_CHECK(CheckToken(token));
  return ReplaceFile(path_, token + " \n", 0600);
}

Result<void> Tokens::Present(const std::string& current, const std::string& next) const {
  A4C_CHECK(CheckToken(current));
  A4C_CHECK(CheckToken(next));
  A4C_TRY(const Fd lock, Lock(path_));
  A4C_TRY(const Known known, Read());
  if (current == known.current && next == known.next) return {};
  const bool first = current == known.current && known.next.empty();
  const bool step = !known.next.empty() && current == known.next;
  if (!first && !step) return Denied();
  return ReplaceFile(path_, current + " " + next + "\n", 0600);
}

Result<void> Tokens::Allow(const std::string& token) const {
  A4C_TRY(const Known known, Read());
  if (known.current.empty() ||
      (!token.empty() && (token == known.current || token == known.next))) {
    return {};
  }
  return Denied();
}

}  // namespace a4c::helper
