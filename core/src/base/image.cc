#include <algorithm>
#include <string>

#include "a4c/host_images.h"

namespace a4c {
namespace {

constexpr size_t kTagBytesMax = 384;  // as dockerd: 255 of the name, 128 of the version
constexpr size_t kNameBytesMax = 128;
constexpr size_t kValueBytesMax = 4096;
constexpr size_t kPathBytesMax = 1024;

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsAnyOf(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char c) {
    return IsLetter(c) || IsDigit(c) || others.find(c) != std::string_view::npos;
  });
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

Result<void> Check(std::string_view text, std::string_view what, std::string_view others) {
  if (!text.empty() && text.size() <= kTagBytesMax && IsAnyOf(text, others)) return {};
  return Error(Code::kInvalid, std::string(what) + ": 1 to 384 letters, digits and any of \"" +
                                   std::string(others) + "\"");
}

// Names between slashes that lead nowhere but down.
bool IsPathWithin(std::string_view path) {
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<void> CheckImageTag(std::string_view tag) {
  return Check(tag, "tag", "._-/:");
}

Result<void> CheckImageReference(std::string_view reference) {
  return Check(reference, "image", "._-/:@");
}

Result<void> CheckBuildArg(std::string_view name, std::string_view value) {
  const bool is_name =
      !name.empty() && name.size() <= kNameBytesMax && !IsDigit(name.front()) && IsAnyOf(name, "_");
  if (!is_name) {
    return Error(Code::kInvalid, "is no name of a build arg",
                 "letters, digits and \"_\", a digit not first, at most 128: \"VERSION\"");
  }
  if (value.size() <= kValueBytesMax && value.find('\0') == std::string_view::npos) return {};
  return Error(Code::kInvalid, "is a string of at most 4096 bytes, without a NUL character");
}

Result<void> CheckBuildArgs(const std::map<std::string, std::string>& args) {
  if (args.size() > kBuildArgsMax) {
    return Error(Code::kInvalid, "has more than " + std::to_string(kBuildArgsMax) + " members");
  }
  size_t bytes = 0;
  for (const auto& [name, value] : args) {
    const auto checked = CheckBuildArg(name, value);
    if (!checked) return checked.error().Within(name);
    bytes += name.size() + value.size();
  }
  if (bytes <= kBuildArgsBytesMax) return {};
  return Error(Code::kInvalid, "has more than 64 KiB of names and values",
               "bring what is large as a file in the context");
}

Result<void> CheckBuildTarget(std::string_view target) {
  if (target.empty()) return {};
  const bool is_stage = target.size() <= kNameBytesMax &&
                        (IsLetter(target.front()) || IsDigit(target.front())) &&
                        IsAnyOf(target, "._-");
  if (is_stage) return {};
  return Error(
      Code::kInvalid, "is no name of a stage",
      "as after AS in the Dockerfile: letters, digits, \".\", \"_\" and \"-\", at most 128");
}

Result<void> CheckDockerfilePath(std::string_view path) {
  if (path.empty()) return {};
  const bool is_path = path.size() <= kPathBytesMax && !std::ranges::any_of(path, IsControl);
  if (is_path && IsPathWithin(path)) return {};
  return Error(Code::kInvalid, "is no path within the context",
               "relative, without \"..\", at most 1024 bytes: \"docker/Dockerfile\"");
}

Result<void> CheckImageBuild(const ImageBuild& build) {
  A4C_CHECK(CheckImageTag(build.tag));
  if (const auto checked = CheckBuildArgs(build.build_args); !checked) {
    return checked.error().Within("build_args");
  }
  if (const auto checked = CheckBuildTarget(build.target); !checked) {
    return checked.error().Within("target");
  }
  if (const auto checked = CheckDockerfilePath(build.dockerfile); !checked) {
    return checked.error().Within("dockerfile");
  }
  return {};
}

}  // namespace a4c
