#include "docker/docker_errors.h"

#include <array>

#include "a4c/json.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kMessageBytesMax = 1000;

struct Word {
  std::string_view text;
  Code code;
  const char* hint;
};
// What the status alone does not say. The first that is found counts.
constexpr std::array<Word, 6> kWords = {{
    {"no space left on device", Code::kExhausted, "free space on the server's disk"},
    {"docker-init", Code::kUnsupported, "install docker-init there, or set init: false"},
    {"Cannot locate specified Dockerfile", Code::kInvalid,
     "it stands at the context's root, or where the build says"},
    {"ockerfile parse error", Code::kInvalid, ""},
    {"is not running", Code::kConflict, ""},
    {"is already in progress", Code::kConflict, ""},
}};

Code CodeOf(int status, bool effect) {
  switch (status) {
    case 400:
      return Code::kInvalid;
    case 401:
    case 403:
      return Code::kDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kConflict;
    case 413:
      return Code::kInvalid;
    case 429:
      return Code::kExhausted;
    case 501:
      return Code::kUnsupported;
    default:
      break;
  }
  if (status >= 400 && status < 500) return Code::kInvalid;
  // dockerd answers 500 also half-way through what it was asked to do.
  return effect && status != 503 ? Code::kUnknownOutcome : Code::kUnavailable;
}

Error ErrorOf(const std::string& peer, int status, std::string_view body, bool effect) {
  const std::string text = DockerMessage(body);
  for (const Word& word : kWords) {
    if (text.find(word.text) != std::string::npos) return Error(word.code, peer + text, word.hint);
  }
  return Error(CodeOf(status, effect), peer + text + " (" + std::to_string(status) + ")");
}

}  // namespace

std::string DockerMessage(std::string_view body) {
  const auto json = ParseJson(body);
  std::string text(json && (*json)["message"].IsText() ? (*json)["message"].Text() : body);
  if (text.size() > kMessageBytesMax) text.resize(kMessageBytesMax);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

Error AfterEffect(const Error& error) {
  const bool undone = error.retryable() || error.code() == Code::kCanceled;
  return undone ? Error(Code::kUnknownOutcome, error.message(), error.hint()) : error;
}

Error DockerError(int status, std::string_view body, bool effect) {
  return ErrorOf("docker: ", status, body, effect);
}

Error HelperError(int status, std::string_view body, bool effect) {
  return ErrorOf("a4c-host: ", status, body, effect);
}

}  // namespace a4c::baremetal
