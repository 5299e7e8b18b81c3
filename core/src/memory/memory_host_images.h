// The images of a server that is only pretended: a build reads the context, finds the Dockerfile in
// it and looks at its FROM, ARG and RUN lines, no more.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "a4c/host_images.h"

namespace a4c::memory {

// The image that a context with this Dockerfile would give. `known` are the images that FROM may
// name, and `salt` makes it another image. kInvalid: no Dockerfile, an unknown FROM or stage, or a
// line "RUN false".
Result<ImageInfo> FakeBuild(const ImageBuild& build, const std::string& context,
                            const std::string& salt, const std::set<std::string>& known,
                            const Progress& progress);

// What a registry gives, such as "registry.local": it has busybox:1, by that name or any digest,
// lets nobody see private/..., and is out of reach for away/... kUnsupported: the reference names
// no registry, or one of the domain "invalid".
Result<ImageInfo> FakePull(const std::string& reference);

}  // namespace a4c::memory
