// What a workspace.update changes: what the workspace is made of, and what is only its record's.
// Plain data, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "a4c/json.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/jobs/label_change.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

// Empty, 0 and none: it stays as it is.
struct SpecChange {
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
  LabelChange labels;

  // False: its unit is what it was.
  bool ChangesUnit() const;
  void To(Workspace& workspace, int64_t asked_at_ms) const;
};

// The members "image", "memory", "cpu_millis", "disk", "pids", "ttl", "idle_stop", "restart",
// "on_drain" and "labels" of what `fields`, who stands at `pointer`, reads, of which there has to
// be one.
SpecChange ReadSpecChange(FieldReader& fields, const std::string& pointer, Faults& faults);

}  // namespace a4cd
