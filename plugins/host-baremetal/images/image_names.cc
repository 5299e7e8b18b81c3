#include "images/image_names.h"

#include <algorithm>
#include <cstdio>

namespace a4c::baremetal {
namespace {

constexpr std::string_view kOwn = "a4c-of:";
constexpr std::string_view kBuilding = "a4c-building:";
constexpr std::string_view kId = "sha256:";
constexpr size_t kIdDigits = 64;
constexpr size_t kShortDigits = 12;
constexpr const char* kNoName = "<none>";

bool IsRegistry(std::string_view first) {
  return first == "localhost" || first.find('.') != std::string_view::npos ||
         first.find(':') != std::string_view::npos;
}

// No name of a cluster holds a ".".
bool IsTagOf(std::string_view tag, std::string_view repository, const std::string& cluster) {
  return tag.starts_with(repository) && tag.substr(repository.size()).starts_with(cluster + ".");
}

// Says whose an image is, of whatever cluster.
bool IsMark(std::string_view tag) {
  return tag.starts_with(kOwn) || tag.starts_with(kBuilding);
}

}  // namespace

ImageName ParseImageName(const std::string& reference) {
  const size_t slash = reference.find('/');
  const std::string first = slash == std::string::npos ? "" : reference.substr(0, slash);
  ImageName parsed;
  parsed.registry = IsRegistry(first) ? first : "docker.io";
  const size_t at = reference.find('@');
  parsed.by_digest = at != std::string::npos;
  const size_t last_slash = reference.rfind('/');
  const size_t colon = reference.find(':', last_slash == std::string::npos ? 0 : last_slash + 1);
  parsed.name = reference.substr(0, std::min(at, colon));
  if (parsed.by_digest) {
    parsed.version = reference.substr(at + 1);
  } else {
    parsed.version = colon == std::string::npos ? "latest" : reference.substr(colon + 1);
  }
  return parsed;
}

bool IsImageId(std::string_view reference) {
  return reference.size() == kId.size() + kIdDigits && reference.starts_with(kId);
}

std::string OwnTag(const std::string& cluster, const std::string& image_id) {
  return std::string(kOwn) + cluster + "." + image_id.substr(kId.size(), kShortDigits);
}

std::string BuildingTag(const std::string& cluster, uint64_t random) {
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(random));
  return std::string(kBuilding) + cluster + "." + digits;
}

bool IsOwnTag(std::string_view tag, const std::string& cluster) {
  return IsTagOf(tag, kOwn, cluster);
}

bool IsBuildingTag(std::string_view tag, const std::string& cluster) {
  return IsTagOf(tag, kBuilding, cluster);
}

std::vector<std::string> NamesOf(const Json& image) {
  std::vector<std::string> names;
  for (const char* member : {"RepoTags", "RepoDigests"}) {
    for (const Json& name : image[member].Items()) {
      const std::string& text = name.Text();
      if (!text.starts_with(kNoName) && !IsMark(text)) names.push_back(text);
    }
  }
  return names;
}

bool IsAlsoOfOthers(const Json& image, const std::string& cluster) {
  const std::vector<Json>& tags = image["RepoTags"].Items();
  const auto marks =
      std::ranges::count_if(tags, [](const Json& tag) { return IsMark(tag.Text()); });
  return static_cast<size_t>(marks) > OwnTagsOf(image, cluster).size();
}

std::vector<std::string> OwnTagsOf(const Json& image, const std::string& cluster) {
  std::vector<std::string> tags;
  for (const Json& tag : image["RepoTags"].Items()) {
    const bool is_building = IsBuildingTag(tag.Text(), cluster);
    if (is_building || IsOwnTag(tag.Text(), cluster)) tags.push_back(tag.Text());
  }
  return tags;
}

}  // namespace a4c::baremetal
