// The exit codes of a4c: stable, so that scripts can rely on them. `a4c help exit-codes` prints
// them.
#pragma once

#include <string>

#include "a4c/json.h"
#include "a4c/result.h"

namespace a4c_cli {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kAuth = 4,
  kConflict = 5,
  kNoCapacity = 6,
  kTimedOut = 7,
  kUnavailable = 8,
  kInterrupted = 130,
};

std::string ExitCodesText();

// Of an answer of the API that is no success.
int ExitCodeOf(int status, const a4c::Json& problem);
// Of a failure before there was an answer.
int ExitCodeOf(const a4c::Error& error);
// Of a job that has ended: 0, 1, or 6 if it found no place.
int ExitCodeOfJob(const a4c::Json& job);
// Of a job that has not ended in time: it may be one for which there is no room.
int ExitCodeOfWait(const a4c::Json& job);

}  // namespace a4c_cli
