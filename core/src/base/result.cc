#include "a4c/result.h"

namespace a4c {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kInvalid:
      return "invalid";
    case Code::kNotFound:
      return "not_found";
    case Code::kConflict:
      return "conflict";
    case Code::kDenied:
      return "denied";
    case Code::kExhausted:
      return "exhausted";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTimeout:
      return "timeout";
    case Code::kCanceled:
      return "canceled";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kUnknownOutcome:
      return "unknown_outcome";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

std::string Error::ToString() const {
  std::string text(CodeName(code_));
  text += ": " + message_;
  if (!hint_.empty()) text += " (hint: " + hint_ + ")";
  return text;
}

Error Error::Within(std::string_view context) const {
  return Error(code_, std::string(context) + ": " + message_, hint_);
}

}  // namespace a4c
