#include "memory/memory_host_images.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "base/md5.h"

namespace a4c::memory {
namespace {

constexpr size_t kTarBlock = 512;

// The content of a file at the root of a tar stream; nothing if it is not there.
std::string FileInTar(const std::string& tar, std::string_view name) {
  size_t at = 0;
  while (at + kTarBlock <= tar.size() && tar[at] != '\0') {
    const std::string entry = tar.substr(at, 100).c_str();
    const auto size = std::strtoull(tar.substr(at + 124, 12).c_str(), nullptr, 8);
    const size_t content = at + kTarBlock;
    if (size > tar.size() - content) return {};
    if (entry == name || entry == "./" + std::string(name)) return tar.substr(content, size);
    at = content + (size + kTarBlock - 1) / kTarBlock * kTarBlock;
  }
  return {};
}

// Of the form of a digest and different for different contexts; nothing more is asked of a fake.
std::string DigestOf(const std::string& context) {
  std::string digest = "sha256:";
  for (char salt = 'a'; salt < 'i'; ++salt) {
    char word[9];
    std::snprintf(word, sizeof(word), "%08x", Md5First32(context + salt));
    digest += word;
  }
  return digest;
}

}  // namespace

Result<ImageInfo> FakeBuild(const std::string& tag, const std::string& context,
                            const std::set<std::string>& known, const Progress& progress) {
  const std::string dockerfile = FileInTar(context, "Dockerfile");
  if (dockerfile.empty()) return Error(Code::kInvalid, "the context holds no Dockerfile");
  std::istringstream lines(dockerfile);
  for (std::string line; std::getline(lines, line);) {
    progress("Step : " + line + "\n");
    if (line.starts_with("FROM ") && line != "FROM scratch" && !known.contains(line.substr(5))) {
      return Error(Code::kInvalid, "pull access denied for " + line.substr(5));
    }
    if (line == "RUN false") return Error(Code::kInvalid, "\"/bin/sh -c false\" returned code 1");
  }
  return ImageInfo{tag, DigestOf(context), static_cast<int64_t>(context.size())};
}

Result<ImageInfo> FakePull(const std::string& reference) {
  const size_t slash = reference.find('/');
  const std::string registry = slash == std::string::npos ? "" : reference.substr(0, slash);
  if (registry.find('.') == std::string::npos || registry.ends_with(".invalid")) {
    return Error(Code::kUnsupported, reference + ": its registry is not configured");
  }
  const std::string name = reference.substr(slash + 1);
  if (name.starts_with("private/")) return Error(Code::kDenied, reference + ": unauthorized");
  if (name.starts_with("away/")) return Error(Code::kUnavailable, reference + ": no answer");
  if (name == "busybox:1" || name.starts_with("busybox@sha256:")) {
    return ImageInfo{reference, DigestOf("busybox of a registry"), 1 << 20};
  }
  return Error(Code::kNotFound, reference + ": the registry has no such image");
}

}  // namespace a4c::memory
