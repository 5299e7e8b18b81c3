// What a workspace.update changes of what a workspace is made of. Plain data, no I/O.
#pragma once

#include <cstdint>
#include <string>

#include "a4c/json.h"
#include "apps/a4cd/jobs/fields.h"
#include "apps/a4cd/jobs/workspace.h"

namespace a4cd {

// Empty and 0: it stays as it is.
struct SpecChange {
  std::string image;
  std::string image_digest;  // what the image stands for when it is changed to it
  int64_t memory_bytes = 0;
  int64_t cpu_millis = 0;
  int64_t disk_bytes = 0;
  int64_t pids = 0;

  void To(Workspace& workspace) const;
};

// The members "image", "memory", "cpu_millis", "disk" and "pids" of what `fields` reads, of which
// there has to be one.
SpecChange ReadSpecChange(FieldReader& fields);

}  // namespace a4cd
