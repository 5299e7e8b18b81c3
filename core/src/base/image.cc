#include <algorithm>
#include <string>

#include "a4c/host_images.h"

namespace a4c {
namespace {

constexpr size_t kTagBytesMax = 255;

bool IsAnyOf(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

Result<void> Check(std::string_view text, std::string_view what, std::string_view others) {
  if (!text.empty() && text.size() <= kTagBytesMax && IsAnyOf(text, others)) return {};
  return Error(Code::kInvalid, std::string(what) + ": 1 to 255 letters, digits and any of \"" +
                                   std::string(others) + "\"");
}

}  // namespace

Result<void> CheckImageTag(std::string_view tag) {
  return Check(tag, "tag", "._-/:");
}

Result<void> CheckImageReference(std::string_view reference) {
  return Check(reference, "image", "._-/:@");
}

}  // namespace a4c
