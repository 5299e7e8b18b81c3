// What a client asks for when it creates a job, checked. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "a4c/json.h"
#include "apps/a4cd/jobs/fields.h"

namespace a4cd {

struct JobDraft {
  std::string type;
  std::string title;
  a4c::Json payload = a4c::Json::Object{};
  std::map<std::string, std::string> labels;
  int64_t priority = 5;
  int64_t delay_ms = 0;     // not before so long from now
  int64_t deadline_ms = 0;  // given up so long from now; 0: never
  int64_t attempts_max = 3;
  bool is_restart = false;  // of a workspace whose process ended; clients cannot say so
};

// "workspace.create", "command.run", ...
const std::vector<std::string>& JobTypes();

// What a key needs besides jobs:write for a job of this type ("hosts:admin"); empty: nothing.
std::string_view ExtraScopeOf(std::string_view type);

// Of a job that is there. False: its type, or a member of its payload, is none that this version
// knows: a newer one has made it.
bool IsUnderstood(std::string_view type, const a4c::Json& payload);

// Reads {"type", "title", "payload", "labels", "priority", "delay", "deadline", "attempts_max"} and
// the payload by its type; what is wrong goes to faults.
JobDraft ReadJobDraft(const a4c::Json& request, Faults& faults);

}  // namespace a4cd
