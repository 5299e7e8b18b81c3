#include "docker/engine_messages.h"

#include <algorithm>
#include <array>

#include "a4c/json.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kLineBytesMax = 1u << 20;
constexpr size_t kMessageBytesMax = 1000;
constexpr std::string_view kArrow = " ---> ";

struct Word {
  std::string_view text;
  Code code;
  const char* hint;
};
// The first that is found counts. Registries say "denied" also of what they do not have.
constexpr std::array<Word, 15> kPullWords = {{
    {"no space left on device", Code::kExhausted, "free space on the server's disk"},
    {"toomanyrequests", Code::kExhausted, "the registry limits how often is pulled"},
    {"x509:", Code::kDenied, "give the server the registry's CA: /etc/docker/certs.d"},
    {"gave HTTP response to HTTPS", Code::kDenied,
     "the registry speaks no TLS: only the server's dockerd can be told to allow that"},
    {"no basic auth credentials", Code::kDenied, "give the registry a username and password_file"},
    {"unauthorized", Code::kDenied, "are username and password_file of the registry right?"},
    {"authentication required", Code::kDenied,
     "are username and password_file of the registry right?"},
    {"incorrect username or password", Code::kDenied, ""},
    {"manifest unknown", Code::kNotFound, ""},
    {"name unknown", Code::kNotFound, ""},
    {"manifest for ", Code::kNotFound, ""},
    {"does not exist or may require", Code::kDenied,
     "the registry has no such image, or does not show it to this user"},
    {"denied", Code::kDenied, ""},
    {"invalid reference format", Code::kInvalid, ""},
    {"no matching manifest", Code::kNotFound, "it is not there for the server's processor"},
}};

bool IsShortId(std::string_view text) {
  return text.size() == 12 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Error PullError(const std::string& reference, std::string_view text) {
  const std::string message =
      "pull of " + reference + ": " + std::string(text.substr(0, kMessageBytesMax));
  for (const Word& word : kPullWords) {
    if (text.find(word.text) != std::string_view::npos) {
      return Error(word.code, message, word.hint);
    }
  }
  return Error(Code::kUnavailable, message, "can the server reach the registry?");
}

Result<void> EngineMessages::ReadAll(const Call& call, DockerConnection& docker) {
  while (true) {
    A4C_TRY(const std::string piece, docker.Read(call));
    if (piece.empty()) break;
    buffer_ += piece;
    for (size_t end; (end = buffer_.find('\n')) != std::string::npos;) {
      Line(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
    }
    if (buffer_.size() > kLineBytesMax) return Error(Code::kUnavailable, "docker: an endless line");
  }
  Line(buffer_);
  return {};
}

void EngineMessages::Line(const std::string& text) {
  const auto line = ParseJson(text);
  if (!line) return;
  if (const std::string& said = (*line)["stream"].Text(); !said.empty()) Said(said);
  // Of a pull; how far each layer is comes many times a second.
  const bool moving = (*line)["progressDetail"].Find("current") != nullptr;
  if (const std::string& status = (*line)["status"].Text(); !status.empty() && !moving) {
    const std::string& layer = (*line)["id"].Text();
    progress_((layer.empty() ? "" : layer + ": ") + status + "\n");
  }
  if ((*line)["aux"]["ID"].IsText()) image_id_ = (*line)["aux"]["ID"].Text();
  if (line->Find("errorDetail") == nullptr && line->Find("error") == nullptr) return;
  failure_ = (*line)["errorDetail"]["message"].Text();
  if (failure_.empty()) failure_ = (*line)["error"].Text();
  if (failure_.empty()) failure_ = "it failed without a message";
}

void EngineMessages::Said(const std::string& text) {
  progress_(text);
  if (text.starts_with("Step ")) {
    is_base_ = text.find(" : FROM ") != std::string::npos;
    is_cached_ = false;
  }
  if (!text.starts_with(kArrow)) return;
  std::string_view rest = std::string_view(text).substr(kArrow.size());
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  if (rest == "Using cache") is_cached_ = true;
  if (!is_base_ && !is_cached_ && IsShortId(rest)) layer_id_ = rest;
}

}  // namespace a4c::baremetal
