#include "plugin/abi_tag.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "a4c/abi.h"

namespace a4c::plugin {
namespace {

constexpr std::string_view kPrefix = "A4C_ABI_TAG=";
constexpr size_t kTagBytesMax = 200;
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOurs = {
    {{"Store", A4C_ABI_TAG_Store},
     {"Bus", A4C_ABI_TAG_Bus},
     {"SearchIndex", A4C_ABI_TAG_SearchIndex},
     {"HostProvider", A4C_ABI_TAG_HostProvider}}};

class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file)
      : descriptor_(open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (descriptor_ < 0 || fstat(descriptor_, &status) != 0 || status.st_size <= 0) return;
    size_ = static_cast<size_t>(status.st_size);
    void* bytes = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor_, 0);
    if (bytes != MAP_FAILED) bytes_ = static_cast<const char*>(bytes);
  }
  ~MappedFile() {
    if (bytes_ != nullptr) munmap(const_cast<char*>(bytes_), size_);
    if (descriptor_ >= 0) close(descriptor_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  bool readable() const { return descriptor_ >= 0; }
  std::string_view bytes() const { return bytes_ ? std::string_view(bytes_, size_) : ""; }

 private:
  const int descriptor_;
  const char* bytes_ = nullptr;
  size_t size_ = 0;
};

// "store/0326ad072971/cxx11abi1/202002L": without the part that all tags share.
std::string_view Short(std::string_view tag) {
  return tag.substr(kPrefix.size());
}

// Ours of the same interface as theirs, or "".
std::string_view Counterpart(std::string_view theirs) {
  const std::string_view word = theirs.substr(0, theirs.find('/') + 1);
  for (const auto& [kind, ours] : kOurs) {
    if (ours.starts_with(word)) return ours;
  }
  return {};
}

Error Mismatch(const std::filesystem::path& file, const std::string& theirs) {
  const std::string_view ours = Counterpart(theirs);
  std::string message = file.string() + " was built for " + std::string(Short(theirs)) + ", and ";
  message += ours.empty() ? "this release has no such interface"
                          : "this release is " + std::string(Short(ours));
  return Error(Code::kInvalid, message, "rebuild the plugin against this release of a4c");
}

}  // namespace

std::vector<std::string> FindTags(std::string_view bytes) {
  std::vector<std::string> tags;
  for (size_t at = 0; (at = bytes.find(kPrefix, at)) != std::string_view::npos;) {
    const std::string_view rest = bytes.substr(at, kTagBytesMax);
    const auto* end = std::ranges::find_if(rest, [](char c) { return c <= ' ' || c > '~'; });
    std::string tag(rest.begin(), end);
    at += tag.size();
    if (std::ranges::find(tags, tag) == tags.end()) tags.push_back(std::move(tag));
  }
  return tags;
}

Result<void> CheckTag(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  if (!mapped.readable()) {
    return Error(Code::kNotFound, "cannot read " + file.string() + ": " + std::strerror(errno));
  }
  const std::vector<std::string> tags = FindTags(mapped.bytes());
  const auto is_ours = [](const std::string& tag) { return Counterpart(tag) == tag; };
  if (std::ranges::any_of(tags, is_ours)) return {};
  if (!tags.empty()) return Mismatch(file, tags.front());
  return Error(Code::kInvalid, file.string() + " has no ABI tag",
               "is it a plugin? one is built with a4c_plugin() and says A4C_PLUGIN(...) once");
}

std::string_view TagOf(std::string_view kind) {
  const auto found = std::ranges::find(kOurs, kind, [](const auto& ours) { return ours.first; });
  return found == kOurs.end() ? std::string_view() : found->second;
}

}  // namespace a4c::plugin
