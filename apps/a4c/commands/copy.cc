#include "apps/a4c/commands/copy.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "apps/a4c/commands/commands.h"
#include "apps/a4c/sessions/exec.h"

namespace a4c_cli {

namespace fs = std::filesystem;
using a4c::Code;
using a4c::Error;
using a4c::Result;

namespace {

constexpr int kTarDiffers = 1;
constexpr int kTarFailed = 2;
constexpr int kNoProgram = 127;
constexpr int kCannotRun = 126;  // dockerd's exec says so of one that is not there, too

struct Remote {
  std::string workspace;
  std::string path;
};

// "dev-1:notes.txt"; "./a:b" is a file here.
std::optional<Remote> ParseRemote(const std::string& text) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || text.find('/') < colon) return std::nullopt;
  return Remote{BareId(text.substr(0, colon), "workspace"), text.substr(colon + 1)};
}

// Where something is, and what it is called there.
struct Place {
  std::string directory;
  std::string name;
};

Result<Place> PlaceOf(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const size_t slash = path.rfind('/');
  Place place;
  place.name = slash == std::string::npos ? path : path.substr(slash + 1);
  place.directory = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  if (!place.name.empty() && place.name != "." && place.name != "..") return place;
  return Error(Code::kInvalid, "\"" + path + "\" has no name of its own",
               "name the file or directory");
}

// `tar` of this machine, with one end of a pipe.
class LocalTar {
 public:
  // makes: it writes the pipe, else it reads it. errors: where it complains.
  LocalTar(std::vector<std::string> arguments, bool makes, int errors = STDERR_FILENO) {
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(pipes[makes ? 1 : 0], makes ? STDOUT_FILENO : STDIN_FILENO);
      if (errors != STDERR_FILENO) dup2(errors, STDERR_FILENO);
      std::vector<char*> argv = {const_cast<char*>("tar")};
      for (std::string& argument : arguments) argv.push_back(argument.data());
      argv.push_back(nullptr);
      execvp("tar", argv.data());
      _exit(kNoProgram);
    }
    close(pipes[makes ? 1 : 0]);
    fd_ = pipes[makes ? 0 : 1];
  }
  ~LocalTar() { (void)End(); }
  LocalTar(const LocalTar&) = delete;
  LocalTar& operator=(const LocalTar&) = delete;
  int fd() const { return fd_; }

  // Closes the pipe and waits for it.
  Result<void> End() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
    int status = -1;
    if (pid_ > 0) waitpid(std::exchange(pid_, -1), &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 0) return {};
    const bool missing = code == kNoProgram;
    return Error(missing ? Code::kUnsupported : Code::kInternal, "tar of this machine failed",
                 missing ? "install tar here" : "what it said is above");
  }

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
};

// What a tar complains of is kept, and told once it is known not to come of another error.
class Complaints {
 public:
  Complaints() : file_(std::tmpfile()) {}
  ~Complaints() {
    if (file_ != nullptr) std::fclose(file_);
  }
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;
  int fd() const { return file_ == nullptr ? STDERR_FILENO : fileno(file_); }
  void Tell() const {
    if (file_ == nullptr) return;
    std::rewind(file_);
    for (int c = std::getc(file_); c != EOF; c = std::getc(file_)) std::putc(c, stderr);
  }

 private:
  std::FILE* const file_;
};

// s|^name|as|, for names only, not for what links lead to.
std::string Renaming(const std::string& name, const std::string& as) {
  std::string from;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0;
    if (plain) {
      from += c;
    } else if (c == '^' || c == '\\' || c == '|') {
      from += std::string("\\") + c;
    } else {
      from += std::string("[") + c + "]";
    }
  }
  std::string to;
  for (const char c : as) to += (c == '\\' || c == '&' || c == '|' ? "\\" : "") + std::string(1, c);
  return "--transform=flags=rhS;s|^" + from + "|" + to + "|";
}

class Copier {
 public:
  explicit Copier(Session& session) : session_(session) {}

  int Upload(const std::string& from, const Remote& to) {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(from, error))) {
      return session_.Complain(Error(Code::kNotFound, "there is no " + from));
    }
    const Result<Place> source = PlaceOf(fs::absolute(from).lexically_normal());
    if (!source) return session_.Complain(source.error());
    const std::optional<bool> into = IsDirectory(to);
    if (!into) return session_.exit_code;
    const Result<Place> target =
        *into ? Result<Place>(Place{to.path.empty() ? "." : to.path, source->name})
              : PlaceOf(to.path);
    if (!target) return session_.Complain(target.error());
    std::vector<std::string> arguments = {"-C", source->directory, "-c", "-f", "-"};
    if (target->name != source->name) arguments.push_back(Renaming(source->name, target->name));
    arguments.insert(arguments.end(), {"--", source->name});
    LocalTar tar(std::move(arguments), true);
    const int code =
        Remotely(to.workspace, {"tar", "-x", "-o", "-f", "-", "-C", target->directory},
                 {.input = tar.fd(), .output = STDERR_FILENO, .errors = STDERR_FILENO});
    return Judge(code, tar.End());
  }

  int Download(const Remote& from, const std::string& to) {
    const Result<Place> source = PlaceOf(from.path);
    if (!source) return session_.Complain(source.error());
    const fs::path target = fs::is_directory(to) ? fs::path(to) / source->name : fs::path(to);
    // Into a directory of its own, so that nothing but what was asked for can come of it.
    std::string part = (fs::absolute(target).parent_path() / ".a4c-cp-XXXXXX").string();
    if (mkdtemp(part.data()) == nullptr) {
      return session_.Complain(
          Error(errno == ENOENT ? Code::kNotFound : Code::kDenied,
                "cannot make a directory beside " + target.string() + ": " + std::strerror(errno)));
    }
    int code = Fetch(from.workspace, *source, part);
    if (code == kFailed && IsMissing(from)) {
      code = session_.Complain(
          Error(Code::kNotFound, "there is no " + from.path + " in " + from.workspace));
    }
    if (code == kOk) {
      const Result<void> moved = Move(fs::path(part) / source->name, target);
      if (!moved) code = session_.Complain(moved.error());
    }
    std::error_code ignored;
    fs::remove_all(part, ignored);
    return code;
  }

 private:
  int Fetch(const std::string& workspace, const Place& source, const std::string& part) {
    const Complaints complaints;
    LocalTar tar({"-C", part, "-x", "--no-same-owner", "--no-same-permissions", "-f", "-"}, false,
                 complaints.fd());
    const int code =
        Remotely(workspace, {"tar", "-c", "-f", "-", "-C", source.directory, "--", source.name},
                 {.output = tar.fd(), .errors = STDERR_FILENO});
    const Result<void> ended = tar.End();
    if (code == kOk) complaints.Tell();
    return Judge(code, ended);
  }

  // Nothing of a workspace becomes a device, a socket or a pipe here.
  static Result<void> Move(const fs::path& from, const fs::path& to) {
    const auto plain = [](const fs::file_status& status) {
      return fs::is_regular_file(status) || fs::is_directory(status) || fs::is_symlink(status);
    };
    std::error_code error;
    if (!plain(fs::symlink_status(from, error))) {
      return Error(Code::kNotFound, "what came is no file, directory or link of that name");
    }
    if (fs::is_directory(fs::symlink_status(from))) {
      for (const auto& entry : fs::recursive_directory_iterator(from)) {
        if (!plain(entry.symlink_status())) {
          return Error(Code::kInvalid, entry.path().filename().string() +
                                           " is no file, directory or link: nothing was copied");
        }
      }
    }
    fs::rename(from, to, error);
    if (!error) return {};
    return Error(Code::kConflict, to.string() + ": " + error.message(),
                 "a directory is not merged with one that is there: remove it, or name another");
  }

  int Remotely(const std::string& workspace, std::vector<std::string> command,
               const RelayDescriptors& descriptors) {
    ExecOptions options{.workspace = workspace, .command = std::move(command)};
    options.descriptors = descriptors;
    return ExecInWorkspace(session_, options);
  }

  bool IsMissing(const Remote& remote) {
    const std::string& path = remote.path;
    return Remotely(remote.workspace, {"test", "-e", path, "-o", "-L", path},
                    {.output = STDERR_FILENO, .errors = STDERR_FILENO}) == 1;
  }

  // Nothing: it could not be asked, exit_code is set.
  std::optional<bool> IsDirectory(const Remote& remote) {
    if (remote.path.empty()) return true;
    const int code = Remotely(remote.workspace, {"test", "-d", remote.path},
                              {.output = STDERR_FILENO, .errors = STDERR_FILENO});
    if (code == 0 || code == 1) return code == 0;
    session_.exit_code = code;
    return std::nullopt;
  }

  int Judge(int code, const Result<void>& ended) {
    if (code == kNoProgram || code == kCannotRun) {
      return session_.Complain(Error(Code::kUnsupported, "the workspace has no tar that runs",
                                     "copy by a4c workspace exec WS -- sh -c 'cat > FILE' < FILE"));
    }
    // What its tar answers is none of ours; it has said why.
    if (code == kTarDiffers || code == kTarFailed) return kFailed;
    if (code != kOk) return code;
    return ended ? kOk : session_.Complain(ended.error());
  }

  Session& session_;
};

}  // namespace

int Copy(Session& session, const std::string& from, const std::string& to) {
  const std::optional<Remote> source = ParseRemote(from);
  const std::optional<Remote> target = ParseRemote(to);
  if (source.has_value() == target.has_value()) {
    return session.Complain(Error(Code::kInvalid, "one of the two is to be in a workspace",
                                  "write it as WORKSPACE:PATH"));
  }
  Copier copier(session);
  return target ? copier.Upload(from, *target) : copier.Download(*source, to);
}

}  // namespace a4c_cli
