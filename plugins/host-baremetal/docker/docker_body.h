// The bodies that we send to dockerd and what we read from its answers. No I/O.
//
// A body is built here alone: nothing of a unit reaches HostConfig but numbers.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "a4c/host_extensions.h"
#include "a4c/host_provider.h"
#include "a4c/json.h"
#include "baremetal_config.h"

namespace a4c::baremetal {

// Labels of ours on a container or marker; callers' labels are there too, for people to see, and as
// JSON in a4c.labels, because a container also has the labels of its image.
inline constexpr const char* kClusterLabel = "a4c.cluster";
inline constexpr const char* kUnitLabel = "a4c.unit";
inline constexpr const char* kEpochLabel = "a4c.epoch";
inline constexpr const char* kLabelsLabel = "a4c.labels";
inline constexpr const char* kImageLabel = "a4c.image_of";  // on images: the cluster

// Where a unit's own files are, the only ones it can write that stay.
inline constexpr const char* kVolumeTarget = "/workspace";
// The Docker volume of a unit that has no file system of its own.
std::string VolumeName(const std::string& cluster, const std::string& unit);

// POST /containers/create. volume_path: on the server, the unit's own file system; empty: a Docker
// volume. image_volumes: what the image declares as volumes; it gets memory there, bounded as /tmp.
Json CreateBody(const Unit& unit, const std::string& cluster, const UnitDefaults& defaults,
                const std::string& volume_path = {},
                const std::vector<std::string>& image_volumes = {});
// POST /containers/{id}/exec.
Json ExecBody(const ExecRequest& request);
// The same of a command with input.
Json InteractiveExecBody(const ExecRequest& request, bool terminal);
// {"label": ["a=b", ...]}, encoded for a query.
std::string LabelFilter(const std::vector<std::string>& labels);

// Milliseconds since 1970 of "2026-11-22T19:00:00.123456789Z"; 0 if it is no such time, or
// dockerd's "never", which is the year 1.
int64_t MillisecondsOf(const std::string& rfc3339);

// A container as GET /containers/{id}/json shows it.
struct Container {
  std::string id;
  std::string name;
  std::string cluster;  // empty: not ours
  bool running = false;
  bool has_commands = false;  // an exec runs in it
  bool removing = false;
  bool own_volume = false;  // a file system that a4c-host made
  std::string volume_path;  // where that is, on the server
  std::string address;      // in its Docker network; empty: it has none
  UnitStatus status;        // without host; its epoch is the label's
};
Container ReadContainer(const Json& inspected);
// What it was made with, the limits' defaults and what its image has of its own included; but for
// the size of its volume.
UnitSpec SpecOf(const Json& inspected);

}  // namespace a4c::baremetal
