#include "memory/memory_host_images.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

#include "base/md5.h"

namespace a4c::memory {
namespace {

constexpr size_t kTarBlock = 512;

// The content of a file in a tar stream; nothing if it is not there.
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

// Does the lines of a Dockerfile, one after the other.
class Steps {
 public:
  Steps(const ImageBuild& build, std::set<std::string> known)
      : build_(build), known_(std::move(known)) {}

  Result<void> Do(const std::string& line) {
    std::istringstream words(line);
    std::string step;
    std::string subject;
    words >> step >> subject;
    if (step == "ARG") return Define(subject);
    subject = Replaced(subject);
    if (step == "RUN" && subject == "false") {
      return Error(Code::kInvalid, "\"/bin/sh -c false\" returned code 1");
    }
    if (step != "FROM") return {};
    std::string as;
    std::string stage;
    words >> as >> stage;
    return Begin(subject, stage);
  }
  // The stage that was asked for is whole: what follows is of no use to it.
  bool EndBefore(const std::string& line) const {
    return !build_.target.empty() && AtTarget() && line.starts_with("FROM ");
  }
  bool AtTarget() const { return build_.target.empty() || stage_ == build_.target; }

 private:
  Result<void> Define(const std::string& arg) {
    const std::string name = arg.substr(0, arg.find('='));
    const auto given = build_.build_args.find(name);
    if (given != build_.build_args.end()) {
      values_[name] = given->second;
    } else if (name.size() < arg.size()) {
      values_[name] = arg.substr(name.size() + 1);
    }
    return {};
  }

  std::string Replaced(const std::string& word) const {
    if (!word.starts_with('$')) return word;
    const auto found = values_.find(word.substr(1));
    return found == values_.end() ? "" : found->second;
  }

  Result<void> Begin(const std::string& base, const std::string& stage) {
    if (base != "scratch" && !known_.contains(base)) {
      return Error(Code::kInvalid, "pull access denied for " + base);
    }
    stage_ = stage;
    if (!stage.empty()) known_.insert(stage);
    return {};
  }

  const ImageBuild& build_;
  std::set<std::string> known_;
  std::map<std::string, std::string> values_;
  std::string stage_;
};

// Of the context and all that was asked for beside it.
std::string DigestOf(const ImageBuild& build, const std::string& context, const std::string& salt) {
  std::string all = context + "\n" + build.target + "\n" + build.dockerfile + "\n" + salt;
  for (const auto& [name, value] : build.build_args) {
    all.append("\n").append(name).append("=").append(value);
  }
  return DigestOf(all);
}

}  // namespace

Result<ImageInfo> FakeBuild(const ImageBuild& build, const std::string& context,
                            const std::string& salt, const std::set<std::string>& known,
                            const Progress& progress) {
  const std::string path = build.dockerfile.empty() ? "Dockerfile" : build.dockerfile;
  const std::string dockerfile = FileInTar(context, path);
  if (dockerfile.empty()) return Error(Code::kInvalid, "the context holds no " + path);
  Steps steps(build, known);
  std::istringstream lines(dockerfile);
  for (std::string line; std::getline(lines, line);) {
    if (steps.EndBefore(line)) break;
    progress("Step : " + line + "\n");
    A4C_CHECK(steps.Do(line));
  }
  if (!steps.AtTarget()) {
    return Error(Code::kInvalid, "failed to reach build target " + build.target + " in Dockerfile");
  }
  return ImageInfo{build.tag, DigestOf(build, context, salt), static_cast<int64_t>(context.size())};
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
