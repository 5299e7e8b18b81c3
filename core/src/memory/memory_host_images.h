// The images of a server that is only pretended: a build reads the context, finds the Dockerfile in
// it and looks at its FROM and RUN lines, no more.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "a4c/host_images.h"

namespace a4c::memory {

// The image that a context with this Dockerfile would give. `known` are the tags that FROM may
// name. kInvalid: no Dockerfile, an unknown FROM, or a line "RUN false".
Result<ImageInfo> FakeBuild(const std::string& tag, const std::string& context,
                            const std::set<std::string>& known, const Progress& progress);

// What a registry gives, such as "registry.local": it has busybox:1, by that name or any digest,
// lets nobody see private/..., and is out of reach for away/... kUnsupported: the reference names
// no registry, or one of the domain "invalid".
Result<ImageInfo> FakePull(const std::string& reference);

}  // namespace a4c::memory
