#include "apps/a4c/build_context.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "apps/a4c/ignore_rules.h"

namespace a4c_cli {
namespace {

namespace fs = std::filesystem;
using a4c::Code;
using a4c::Error;
using a4c::Result;

constexpr int64_t kBlock = 512;
constexpr int64_t kPieceBytes = 64 << 10;
constexpr size_t kNameBytesMax = 100;
constexpr size_t kIgnoreBytesMax = 1 << 20;
constexpr const char* kIgnoreFile = ".dockerignore";

int64_t Padded(int64_t bytes) {
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

// Names that do not fit stand in a record of their own before the entry's, as GNU tar does it.
int64_t LongNameBytes(const std::string& name) {
  return name.size() <= kNameBytesMax ? 0 : kBlock + Padded(static_cast<int64_t>(name.size()) + 1);
}

std::string TarName(const ContextEntry& entry) {
  return entry.path + (entry.type == ContextEntry::Type::kDirectory ? "/" : "");
}

int64_t HeadBytes(const ContextEntry& entry) {
  return LongNameBytes(TarName(entry)) + LongNameBytes(entry.target) + kBlock;
}

std::string Header(const std::string& name, const std::string& target, char type, unsigned mode,
                   int64_t size, int64_t modified_s) {
  std::string header(kBlock, '\0');
  const auto put = [&header](size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  char number[16];
  const auto octal = [&](size_t at, int digits, int64_t value) {
    std::snprintf(number, sizeof(number), "%0*llo", digits, static_cast<unsigned long long>(value));
    put(at, number);
  };
  put(0, name.substr(0, kNameBytesMax));
  octal(100, 7, mode);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, size);
  octal(136, 11, std::max<int64_t>(0, modified_s));
  put(148, "        ");
  header[156] = type;
  put(157, target.substr(0, kNameBytesMax));
  put(257, "ustar  ");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  header[154] = '\0';
  return header;
}

std::string LongName(const std::string& name, char type) {
  if (name.size() <= kNameBytesMax) return {};
  const auto size = static_cast<int64_t>(name.size()) + 1;
  std::string record = Header("././@LongLink", "", type, 0, size, 0) + name;
  record.resize(static_cast<size_t>(kBlock + Padded(size)), '\0');
  return record;
}

std::string Head(const ContextEntry& entry) {
  const std::string name = TarName(entry);
  char type = '0';
  if (entry.type == ContextEntry::Type::kDirectory) type = '5';
  if (entry.type == ContextEntry::Type::kLink) type = '2';
  return LongName(entry.target, 'K') + LongName(name, 'L') +
         Header(name, entry.target, type, entry.mode, entry.size_bytes, entry.modified_s);
}

// Goes through the entries, the pieces of each file and the end.
class TarStream {
 public:
  explicit TarStream(const BuildContext& context) : context_(context) {}

  Result<std::string> Next() {
    if (left_ > 0) return Content();
    if (at_ < context_.entries.size()) return Begin(context_.entries[at_++]);
    if (ended_) return std::string();
    ended_ = true;
    return std::string(2 * kBlock, '\0');
  }

 private:
  Result<std::string> Begin(const ContextEntry& entry) {
    file_.reset();
    left_ = entry.size_bytes;
    padding_ = Padded(left_) - left_;
    if (left_ == 0) return Head(entry);
    errno = 0;
    file_ =
        std::make_unique<std::ifstream>(context_.directory + "/" + entry.path, std::ios::binary);
    if (*file_) return Head(entry);
    return Error(Code::kConflict,
                 entry.path + " cannot be opened any more: " + std::strerror(errno));
  }

  Result<std::string> Content() {
    std::string piece(static_cast<size_t>(std::min(left_, kPieceBytes)), '\0');
    errno = 0;
    if (!file_->read(piece.data(), static_cast<std::streamsize>(piece.size()))) return Broken();
    left_ -= static_cast<int64_t>(piece.size());
    if (left_ == 0) piece.append(static_cast<size_t>(padding_), '\0');
    return piece;
  }

  Error Broken() const {
    const std::string& path = context_.entries[at_ - 1].path;
    if (!file_->bad()) return Error(Code::kConflict, path + " became shorter while it was sent");
    return Error(Code::kConflict, path + " could not be read whole: " + std::strerror(errno));
  }

  const BuildContext& context_;
  size_t at_ = 0;
  int64_t left_ = 0;
  int64_t padding_ = 0;
  bool ended_ = false;
  std::unique_ptr<std::ifstream> file_;
};

Error Unreadable(const std::string& path) {
  return Error(Code::kInvalid, path + " cannot be read: " + std::strerror(errno),
               "let it be read, or leave it out: .dockerignore");
}

Result<IgnoreRules> ReadRules(const std::string& directory) {
  errno = 0;
  std::ifstream in(directory + "/" + kIgnoreFile, std::ios::binary);
  // Without its rules what it leaves out would be sent.
  if (!in && errno != ENOENT && errno != ENOTDIR) return Unreadable(kIgnoreFile);
  std::string text;
  for (char c = 0; in.get(c) && text.size() <= kIgnoreBytesMax;) text += c;
  if (text.size() > kIgnoreBytesMax) {
    return Error(Code::kInvalid, ".dockerignore is larger than a MiB");
  }
  return IgnoreRules::Parse(text);
}

class Scan {
 public:
  Scan(std::string directory, std::string dockerfile, IgnoreRules rules)
      : dockerfile_(std::move(dockerfile)),
        rules_(std::move(rules)),
        context_{std::move(directory), {}} {}

  Result<BuildContext> Run() {
    A4C_CHECK(Walk(""));
    std::ranges::sort(context_.entries, {}, &ContextEntry::path);
    if (const int64_t bytes = context_.TarBytes(); bytes > kContextBytesMax) {
      return Error(Code::kInvalid,
                   "the build context has " + std::to_string(bytes) + " bytes, more than 2 GiB",
                   "leave out what the build does not need: .dockerignore");
    }
    return std::move(context_);
  }

 private:
  Result<void> Walk(const std::string& below) {
    std::error_code failed;
    for (fs::directory_iterator it(context_.directory + "/" + below, failed), end;
         !failed && it != end; it.increment(failed)) {
      const std::string name = it->path().filename().string();
      A4C_CHECK(Take(below.empty() ? name : std::string(below).append("/").append(name)));
    }
    if (!failed) return {};
    return Error(Code::kInvalid,
                 context_.directory + "/" + below + " cannot be read: " + failed.message());
  }

  Result<void> Take(const std::string& path) {
    struct stat status {};
    if (lstat((context_.directory + "/" + path).c_str(), &status) != 0) return {};
    const bool always = path == dockerfile_ || path == kIgnoreFile;
    const bool ignored = !always && rules_.Ignores(path);
    if (S_ISDIR(status.st_mode)) {
      if (!ignored) A4C_CHECK(Add({path, ContextEntry::Type::kDirectory}, status));
      if (!ignored || rules_.TakesBack() || dockerfile_.starts_with(path + "/")) return Walk(path);
      return {};
    }
    if (ignored) return {};
    if (S_ISREG(status.st_mode)) {
      if (status.st_size > 0) A4C_CHECK(CheckReadable(path));
      return Add({.path = path, .size_bytes = static_cast<int64_t>(status.st_size)}, status);
    }
    if (!S_ISLNK(status.st_mode)) return {};
    std::error_code failed;
    const fs::path target = fs::read_symlink(context_.directory + "/" + path, failed);
    if (failed) return {};
    return Add({.path = path, .type = ContextEntry::Type::kLink, .target = target.string()},
               status);
  }

  // Now, and not once a server has begun to wait for it.
  Result<void> CheckReadable(const std::string& path) const {
    const std::string whole = context_.directory + "/" + path;
    if (faccessat(AT_FDCWD, whole.c_str(), R_OK, AT_EACCESS) == 0) return {};
    return Unreadable(path);
  }

  Result<void> Add(ContextEntry entry, const struct stat& status) {
    entry.mode = status.st_mode & 07777U;
    entry.modified_s = status.st_mtime;
    context_.entries.push_back(std::move(entry));
    if (context_.entries.size() <= kContextFilesMax) return {};
    return Error(Code::kInvalid, "the build context has more than a million files",
                 "leave out what the build does not need: .dockerignore");
  }

  const std::string dockerfile_;
  const IgnoreRules rules_;
  BuildContext context_;
};

Error NoDockerfile(const fs::path& context, const std::string& file) {
  std::error_code failed;
  if (file.empty()) {
    return Error(Code::kInvalid, "there is no Dockerfile in " + context.string(),
                 "one of another name, or elsewhere in there: -f");
  }
  const fs::path within = context / file;
  const bool is_meant = fs::path(file).is_relative() && fs::is_regular_file(within, failed);
  return Error(Code::kInvalid, "there is no file " + file,
               is_meant ? "it is looked for from here: -f " + within.string() : "");
}

}  // namespace

int64_t BuildContext::TarBytes() const {
  int64_t bytes = 2 * kBlock;
  for (const ContextEntry& entry : entries) bytes += HeadBytes(entry) + Padded(entry.size_bytes);
  return bytes;
}

Result<std::string> FindDockerfile(const std::string& directory, const std::string& file) {
  const fs::path given = file.empty() ? fs::path(directory) / kDockerfile : fs::path(file);
  std::error_code failed;
  if (!fs::is_regular_file(given, failed)) return NoDockerfile(directory, file);
  const fs::path real = fs::canonical(given, failed);
  if (failed) return NoDockerfile(directory, file);
  const fs::path context = fs::canonical(directory, failed);
  std::string path = failed ? ".." : real.lexically_relative(context).string();
  if (!path.starts_with("../") && path != "..") return path;
  return Error(Code::kInvalid, real.string() + " is not in the context, " + directory,
               "copy it into the directory; .dockerignore never leaves it out");
}

Result<BuildContext> ScanContext(const std::string& directory, const std::string& dockerfile) {
  A4C_TRY(IgnoreRules rules, ReadRules(directory));
  return Scan(directory, dockerfile, std::move(rules)).Run();
}

std::function<Result<std::string>()> TarOf(const BuildContext& context) {
  return [stream = std::make_shared<TarStream>(context)] { return stream->Next(); };
}

}  // namespace a4c_cli
