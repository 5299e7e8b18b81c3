// References of images taken apart, and the tags by which an image on a server is known as ours.
//
// Labels cannot say whose an image is: whatever is built from it has them too. So what we built,
// pulled or sent has one tag more: a4c-of:<cluster>.<id>; while it is being built it has
// a4c-building:<cluster>.<random> alone. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/json.h"
#include "a4c/result.h"

namespace a4c::baremetal {

struct ImageName {
  std::string registry;  // "registry.example:5000"; "docker.io" if none is named
  std::string name;      // with the registry, as it was given
  std::string version;   // a tag or "sha256:..."; "latest" if none is named
  bool by_digest = false;
};
ImageName ParseImageName(const std::string& reference);
// "sha256:<64 digits>": an image of whatever name.
bool IsImageId(std::string_view reference);

std::string OwnTag(const std::string& cluster, const std::string& image_id);
std::string BuildingTag(const std::string& cluster, uint64_t random);
bool IsOwnTag(std::string_view tag, const std::string& cluster);
bool IsBuildingTag(std::string_view tag, const std::string& cluster);
// Of an image as GET /images/json shows it: the names that people gave it, by tag or digest.
std::vector<std::string> NamesOf(const Json& image);
// Those by which it is ours: it was made, or a build that failed has left it. None: of others.
std::vector<std::string> OwnTagsOf(const Json& image, const std::string& cluster);
// True if another cluster has it as well: its names are not only ours to take away.
bool IsAlsoOfOthers(const Json& image, const std::string& cluster);

}  // namespace a4c::baremetal
