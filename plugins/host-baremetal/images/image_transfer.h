// What is done to images on one server, over one connection.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "a4c/host_images.h"
#include "docker/docker_connection.h"
#include "images/registries.h"
#include "images/tar_filter.h"

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

// An image on its way from one server to another.
struct ImageCopy {
  std::string reference;  // it is named there as it is by this: an id is no name
  int64_t bytes_max = 0;
  // Files of its archive that the other server can do without. If it cannot after all, everything
  // is sent, once.
  TarFilter::LeaveOut leave_out = nullptr;
};
// Of the archive that the other server took.
struct CopiedBytes {
  int64_t sent = 0;
  int64_t left_out = 0;
};
Result<CopiedBytes> CopyImage(const Call& call, DockerConnection& from, DockerConnection& to,
                              const ImageCopy& copy);

}  // namespace a4c::baremetal
