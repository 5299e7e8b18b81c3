// What a workspace.update changes: what the workspace is made of, and what is only its record's.
// Plain data, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "a4c/json.h"
#include "a4c/result.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/jobs/map_change.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

// Empty, 0 and none: it stays as it is.
struct SpecChange {
  std::optional<std::vector<std::string>> command;  // no words: the image's own
  MapChange env;
  MapChange secrets;  // said again, one has the value that the secret has now
  std::string image;
  std::string image_digest;  // what the image stands for when it is changed to it
  int64_t memory_bytes = 0;
  int64_t cpu_millis = 0;
  int64_t disk_bytes = 0;
  int64_t pids = 0;
  // The record's.
  std::optional<int64_t> ttl_ms;        // from when it was asked for; 0: it does not expire
  std::optional<int64_t> idle_stop_ms;  // 0: it is not stopped for being idle
  std::string restart;
  std::string on_drain;
  MapChange labels;

  // False: its unit is what it was.
  bool ChangesUnit() const;
  // kInvalid: what this workspace cannot become.
  a4c::Result<void> Check(const Workspace& workspace) const;
  // The part of Check that another update can have changed since: how much there may be of it.
  a4c::Result<void> CheckBounds(const Workspace& workspace) const;
  // A variable that is set is no secret any more, and the other way round.
  void To(Workspace& workspace, int64_t asked_at_ms) const;
};

// The members "image", "command", "env", "secrets", "memory", "cpu_millis", "disk", "pids", "ttl",
// "idle_stop", "restart", "on_drain" and "labels" of what `fields`, who stands at `pointer`, reads,
// of which there has to be one.
SpecChange ReadSpecChange(FieldReader& fields, const std::string& pointer, Faults& faults);

}  // namespace a4cd
