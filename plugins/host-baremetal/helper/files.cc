#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace a4c::helper {
namespace {

constexpr size_t kComplaintBytesMax = 500;
constexpr const char* kEnvironment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", nullptr};

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// What the program says until it ends; only the beginning is kept.
std::string TakeOutput(int pipe) {
  std::string text;
  char piece[512];
  for (ssize_t count; (count = read(pipe, piece, sizeof(piece))) > 0;) {
    const size_t room = kComplaintBytesMax - std::min(kComplaintBytesMax, text.size());
    text.append(piece, std::min(room, static_cast<size_t>(count)));
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

Error SystemError(int error, const std::string& what) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return Error(full ? Code::kExhausted : Code::kUnavailable,
               what + ": " + (full ? "no space left on device" : std::strerror(error)));
}

Result<void> MakeDirectories(const std::string& path, unsigned mode) {
  for (size_t end = path.find('/', 1); true; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), mode) != 0 && errno != EEXIST) return SystemError(errno, part);
    if (end == std::string::npos) return {};
  }
}

Result<std::optional<std::string>> ReadFile(const std::string& path, size_t bytes_max) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file) return SystemError(errno, path);
  std::string text(bytes_max, '\0');
  const ssize_t count = read(file.get(), text.data(), text.size());
  if (count < 0) return SystemError(errno, path);
  text.resize(static_cast<size_t>(count));
  return std::optional(std::move(text));
}

Result<void> ReplaceFile(const std::string& path, std::string_view text, unsigned mode) {
  const std::string fresh = path + ".new";
  const Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file || fchmod(file.get(), mode) != 0) return SystemError(errno, fresh);
  while (!text.empty()) {
    const ssize_t count = write(file.get(), text.data(), text.size());
    if (count < 0) return SystemError(errno, fresh);
    text.remove_prefix(static_cast<size_t>(count));
  }
  if (fsync(file.get()) != 0 || rename(fresh.c_str(), path.c_str()) != 0) {
    return SystemError(errno, path);
  }
  return SyncDirectory(path.substr(0, path.rfind('/')));
}

Result<void> SyncDirectory(const std::string& path) {
  const Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || fsync(directory.get()) != 0) return SystemError(errno, path);
  return {};
}

std::vector<std::string> NamesIn(const std::string& path) {
  std::vector<std::string> names;
  DIR* list = opendir(path.c_str());
  if (list == nullptr) return names;
  while (const dirent* entry = readdir(list)) {
    if (IsName(entry->d_name)) names.emplace_back(entry->d_name);
  }
  closedir(list);
  std::ranges::sort(names);
  return names;
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 128 && IsLetterOrDigit(text.front()) &&
         std::ranges::all_of(
             text, [](char c) { return IsLetterOrDigit(c) || c == '_' || c == '.' || c == '-'; });
}

bool IsPlainPath(std::string_view text) {
  return text.size() > 1 && text.size() <= 1024 && text.front() == '/' &&
         text.find("/..") == std::string_view::npos && std::ranges::all_of(text, [](char c) {
           return IsLetterOrDigit(c) || c == '/' || c == '_' || c == '.' || c == '-';
         });
}

Result<void> RunProgram(const std::vector<std::string>& arguments, int code_max) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError(errno, "pipe");
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writer.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, writer.get(), 2);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(),
                                 const_cast<char* const*>(kEnvironment));
  posix_spawn_file_actions_destroy(&actions);
  writer = Fd();
  if (failed != 0) return SystemError(failed, arguments.front());
  const std::string said = TakeOutput(reader.get());
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) <= code_max) return {};
  return Error(Code::kUnavailable, arguments.front() + " failed: " + said);
}

}  // namespace a4c::helper
