#include "apps/a4c/exit_code.h"

namespace a4c_cli {
namespace {

using a4c::Code;

struct Row {
  int code;
  const char* meaning;
};
constexpr Row kRows[] = {
    {kOk, "it was done; an empty list is a success"},
    {kFailed, "it failed, or the job that was waited for failed or was canceled"},
    {kUsage, "the command line or the request is wrong"},
    {kNotFound, "there is no such job, workspace, server or key"},
    {kAuth,
     "no API key, an unknown one, one that does not allow this, or a certificate that is not "
     "accepted"},
    {kConflict, "its state does not allow it, or it has changed meanwhile"},
    {kNoCapacity, "no server has room for it"},
    {kTimedOut, "the time was over before it was done"},
    {kUnavailable, "the API or a server behind it is not available"},
    {kInterrupted, "interrupted (Ctrl-C)"},
};

}  // namespace

std::string ExitCodesText() {
  std::string text = "Exit codes of a4c:\n";
  for (const Row& row : kRows) {
    const std::string code = std::to_string(row.code);
    text += std::string(5 - code.size(), ' ') + code + "  " + row.meaning + "\n";
  }
  return text;
}

int ExitCodeOf(int status, const a4c::Json& problem) {
  if (problem["type"].Text().ends_with(":no-capacity")) return kNoCapacity;
  switch (status) {
    case 400:
    case 405:
    case 413:
    case 415:
      return kUsage;
    case 401:
    case 403:
      return kAuth;
    case 404:
      return kNotFound;
    case 409:
    case 412:
    case 422:
    case 428:
      return kConflict;
    case 408:
    case 504:
      return kTimedOut;
    case 429:
    case 502:
    case 503:
      return kUnavailable;
    default:
      return kFailed;
  }
}

int ExitCodeOf(const a4c::Error& error) {
  switch (error.code()) {
    case Code::kInvalid:
      return kUsage;
    case Code::kNotFound:
      return kNotFound;
    case Code::kDenied:
      return kAuth;
    case Code::kConflict:
      return kConflict;
    case Code::kTimeout:
      return kTimedOut;
    case Code::kExhausted:
    case Code::kUnavailable:
    case Code::kUnknownOutcome:
      return kUnavailable;
    default:
      return kFailed;
  }
}

int ExitCodeOfJob(const a4c::Json& job) {
  if (job["state"].Text() == "succeeded") return kOk;
  return job["reason"].Text() == "no_capacity" ? kNoCapacity : kFailed;
}

int ExitCodeOfWait(const a4c::Json& job) {
  return job["reason"].Text() == "no_capacity" ? kNoCapacity : kTimedOut;
}

}  // namespace a4c_cli
