// A write that was decided but not yet made: what to commit, and what it will have made.
#pragma once

#include <optional>
#include <string>

#include "a4c/collection.h"
#include "a4c/json.h"

namespace a4cd {

struct PreparedWrite {
  a4c::Commit commit;
  a4c::Json view;   // the answer, true once the commit is applied
  std::string id;   // of what the answer shows
  int64_t rev = 0;  // of the same
  // What was changed, as it was read, where the answer shows something else (the job that does it):
  // an If-Match is of this.
  std::optional<a4c::Check> before = {};
  // True if it was decided on what had been read, so that a conflict means: read and decide anew.
  bool decide_again = false;
};

}  // namespace a4cd
