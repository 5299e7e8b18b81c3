// What the commands share.
#pragma once

#include <ostream>

#include "a4c/result.h"

namespace a4c {

inline constexpr int kToolDone = 0;
inline constexpr int kToolFailed = 1;
inline constexpr int kToolUsage = 2;
inline constexpr int kToolNotFound = 3;

inline int Report(const Error& error, std::ostream& err) {
  err << "error: " << error.message() << "\n";
  if (!error.hint().empty()) err << "hint: " << error.hint() << "\n";
  return error.code() == Code::kNotFound ? kToolNotFound : kToolFailed;
}

inline int Usage(const char* usage, std::ostream& err) {
  err << "usage: a4cd plugin " << usage << "\n";
  return kToolUsage;
}

}  // namespace a4c
