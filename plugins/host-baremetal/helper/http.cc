#include "http.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "files.h"

namespace a4c::helper {
namespace {

constexpr size_t kHeadBytesMax = 16u << 10;
constexpr size_t kBodyBytesMax = 4u << 20;
constexpr size_t kFieldsMax = 64;

int StatusOf(Code code) {
  switch (code) {
    case Code::kInvalid:
      return 400;
    case Code::kDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kConflict:
      return 409;
    case Code::kExhausted:
      return 429;
    case Code::kUnsupported:
      return 501;
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kCanceled:
      return 503;
    default:
      return 500;
  }
}

Error OutOfForm(const std::string& what) {
  return Error(Code::kInvalid, "the request is out of form: " + what);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Result<void> ParseField(std::string_view line, Request& request) {
  const size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return OutOfForm("a field without a name");
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  const bool fresh = request.fields.emplace(Lower(line.substr(0, colon)), value).second;
  if (!fresh) return OutOfForm("a field is there twice");
  if (request.fields.size() > kFieldsMax) return OutOfForm("too many fields");
  return {};
}

Result<size_t> LengthOf(const Request& request) {
  if (!request.Field("transfer-encoding").empty()) return OutOfForm("a body in chunks");
  const std::string text = request.Field("content-length");
  if (text.empty()) return size_t{0};
  size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return OutOfForm("a bad length");
  if (length > kBodyBytesMax) return OutOfForm("a body of more than 4 MiB");
  return length;
}

}  // namespace

std::string Request::Field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

std::string Request::Parameter(std::string_view name) const {
  const size_t query = target.find('?');
  if (query == std::string::npos) return {};
  const std::string padded = "&" + target.substr(query + 1) + "&";
  const std::string key = "&" + std::string(name) + "=";
  const size_t at = padded.find(key);
  if (at == std::string::npos) return {};
  const size_t begin = at + key.size();
  return padded.substr(begin, padded.find('&', begin) - begin);
}

std::string JsonText(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    char code[8];
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(code, sizeof(code), "\\u%04x", c);
      quoted += code;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

Reply ReplyOf(const Error& error) {
  return {StatusOf(error.code()), "{\"message\":" + JsonText(error.message()) + "}"};
}

Result<Request> ParseHead(std::string_view head) {
  const auto next_line = [&head] {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    return line;
  };
  const std::string_view first = next_line();
  const size_t space = first.find(' ');
  const size_t second = first.rfind(' ');
  if (space == std::string_view::npos || !first.substr(second + 1).starts_with("HTTP/1.")) {
    return OutOfForm("no HTTP");
  }
  Request request;
  request.method = first.substr(0, space);
  if (second > space) request.target = first.substr(space + 1, second - space - 1);
  if (!request.target.starts_with("/")) return OutOfForm("no path");
  if (request.target.find(' ') != std::string::npos) return OutOfForm("a space in the path");
  while (!head.empty()) A4C_CHECK(ParseField(next_line(), request));
  return request;
}

Result<void> WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(errno, "write");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

// False at the end.
Result<bool> Conversation::Fill() {
  char piece[8192];
  while (true) {
    const ssize_t count = read(in_, piece, sizeof(piece));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(errno, "read");
    buffer_.append(piece, static_cast<size_t>(count));
    return count > 0;
  }
}

Result<std::optional<Request>> Conversation::Next() {
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kHeadBytesMax) break;
    A4C_TRY(const bool more, Fill());
    if (!more && buffer_.empty()) return std::optional<Request>();
    if (!more) return OutOfForm("it ends in its head");
  }
  if (end > kHeadBytesMax) return OutOfForm("a head of more than 16 KiB");
  A4C_TRY(Request request, ParseHead(std::string_view(buffer_).substr(0, end)));
  buffer_.erase(0, end + 4);
  A4C_TRY(const size_t length, LengthOf(request));
  while (buffer_.size() < length) {
    A4C_TRY(const bool more, Fill());
    if (!more) return OutOfForm("it ends in its body");
  }
  request.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return std::optional(std::move(request));
}

Result<void> Conversation::Answer(const Reply& reply) {
  return WriteAll(out_, "HTTP/1.1 " + std::to_string(reply.status) +
                            " -\r\nContent-Type: application/json\r\nContent-Length: " +
                            std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body);
}

}  // namespace a4c::helper
