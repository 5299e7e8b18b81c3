// The images of a server that is only pretended: a build reads the context, finds the Dockerfile in
// it and looks at its FROM and RUN lines, no more.
#pragma once

#include <map>
#include <set>
#include <string>

#include "a4c/host_extensions.h"

namespace a4c::memory {

// The image that a context with this Dockerfile would give. `known` are the tags that FROM may
// name. kInvalid: no Dockerfile, an unknown FROM, or a line "RUN false".
Result<ImageInfo> FakeBuild(const std::string& tag, const std::string& context,
                            const std::set<std::string>& known,
                            const std::function<void(std::string_view)>& progress);

}  // namespace a4c::memory
