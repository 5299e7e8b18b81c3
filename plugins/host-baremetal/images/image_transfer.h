// What is done to images on one server, over one connection.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "a4c/host_images.h"
#include "docker/docker_connection.h"
#include "images/registries.h"

namespace a4c::baremetal {

// As dockerd shows it. Nothing if the server lacks it.
Result<std::optional<Json>> InspectImage(const Call& call, DockerConnection& docker,
                                         const std::string& reference);
Result<std::optional<ImageInfo>> FindImage(const Call& call, DockerConnection& docker,
                                           const std::string& reference);

// The ids of all that are there.
Result<std::set<std::string>> ImageIds(const Call& call, DockerConnection& docker);

// True if it is there and nobody has given it a name.
Result<bool> IsNameless(const Call& call, DockerConnection& docker, const std::string& image_id);

// Gives an image one more name; the same again changes nothing. kNotFound: there is no such image.
Result<void> TagImage(const Call& call, DockerConnection& docker, const std::string& image,
                      const std::string& name);
// Takes a name away, and with its last name the image. False: a container uses it.
Result<bool> UntagImage(const Call& call, DockerConnection& docker, const std::string& name);

// kNotFound, kDenied, kUnavailable, ...: PullError.
Result<void> PullImage(const Call& call, DockerConnection& docker, const std::string& reference,
                       const RegistryOptions& registry, const Progress& progress);

// An image, layers and all, from one server to another. Named there as it is by `reference`: an id
// is no name.
Result<void> CopyImage(const Call& call, DockerConnection& from, DockerConnection& to,
                       const std::string& reference, int64_t bytes_max);

}  // namespace a4c::baremetal
