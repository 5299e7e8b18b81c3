// Which layers of an image a server has already, and which files of the image's archive hold them:
// dockerd's load reads the file of a layer only if it has no layer of those diff ids in that order.
#pragma once

#include <string>
#include <vector>

#include "a4c/json.h"
#include "docker/docker_connection.h"
#include "images/tar_filter.h"

namespace a4c::baremetal {

// The diff ids of an image as GET /images/NAME/json shows it, the lowest layer first. None of one
// that is out of form.
std::vector<std::string> LayersOf(const Json& image);

// How many of these, from the lowest on, are there as layers of some image. `reference` is the name
// of the image that they are of: those with a name like it are looked at first, and no more than 32
// in all. 0 of an engine whose load wants every file (the containerd image store).
Result<size_t> CountLayersThere(const Call& call, DockerConnection& docker,
                                const std::vector<std::string>& layers,
                                const std::string& reference);

// The files of the lowest `count` layers in an archive of GET /images/NAME/get, by Docker 20.10 and
// later. Those that are needed again further up are not among them. Nothing to leave out: null.
TarFilter::LeaveOut FilesOfLayers(const std::vector<std::string>& layers, size_t count);

}  // namespace a4c::baremetal
