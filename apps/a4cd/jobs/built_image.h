// What a tag stands for among a tenant's own builds: the newest whole one, by its digest. Servers
// have tags of their own, which agree neither with each other nor with what a tenant has built.
// These are of all who use a server: a build never gets the tag that its tenant chose there, or it
// would be what others' workspaces and FROMs of that name are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "a4c/collection.h"

namespace a4cd {

// The subject of a build's job, "image:<tag>", is the id of a lease: at most 256 bytes.
inline constexpr size_t kTagBytesMax = 250;

struct BuiltImage {
  std::string tag;
  std::string digest;  // "sha256:...": the image's id on any server
  std::string host;    // where it was built
  std::string job;
  int64_t built_at = 0;
};

// The name of a tenant's build of that tag on servers: a4c.invalid/<tenant>/<tag>, which nobody
// else can build, no registry has, and nothing can mean by accident.
std::string NameOfBuild(const std::string& tenant, const std::string& tag);
// For people: the tag that such a name was made of. Any other name is what it is.
std::string TagOfName(const std::string& name);

a4c::Put BuiltImagePut(const std::string& tenant, const BuiltImage& image);

// The digest of the tenant's newest build of that tag; "app" is "app:latest". Empty: it has built
// none, and the image is what was pulled by its name, or is there by it without our doing.
a4c::Result<std::string> BuiltDigest(const a4c::Call& call, a4c::Database& database,
                                     const std::string& tenant, const std::string& image);

}  // namespace a4cd
