#include "docker/docker_connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "docker/docker_errors.h"

namespace a4c::baremetal {
namespace {

constexpr size_t kHeadBytesMax = 64u << 10;
constexpr size_t kPieceBytes = 32u << 10;
constexpr size_t kGatherBytes = 256u << 10;
constexpr const char* kApiVersion = "/v1.41";
constexpr const char* kHelperPath = "/a4c/";

Error NotHttp(const std::string& what) {
  return Error(Code::kUnavailable, "docker: the answer is not HTTP: " + what,
               "does the socket belong to dockerd?");
}

std::string HeadOf(const DockerRequest& request, const std::map<std::string, std::string>& fields) {
  const bool of_docker = !request.target.starts_with(kHelperPath);
  Poco::Net::HTTPRequest head(request.method, (of_docker ? kApiVersion : "") + request.target,
                              Poco::Net::HTTPMessage::HTTP_1_1);
  head.setHost("docker");
  for (const auto& [name, value] : fields) head.set(name, value);
  for (const auto& [name, value] : request.fields) head.set(name, value);
  if (request.stream != nullptr) {
    head.setChunkedTransferEncoding(true);
  } else if (request.method != "GET") {
    head.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
  }
  if (request.stream != nullptr || !request.body.empty()) head.setContentType(request.content_type);
  if (request.upgrade) {
    head.set("Connection", "Upgrade");
    head.set("Upgrade", "tcp");
  }
  std::ostringstream out;
  head.write(out);
  return out.str();
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~')) {
      encoded += c;
    } else {
      char code[4];
      std::snprintf(code, sizeof(code), "%%%02X", byte);
      encoded += code;
    }
  }
  return encoded;
}

// Once a byte of a request with an effect is out, "nothing was done" can no longer be said.
Error DockerConnection::Judged(const Error& error) const {
  return effect_ && sent_ ? AfterEffect(error) : error;
}

// Gathered, so that of the packets that it becomes few are short: each costs the same.
Result<void> DockerConnection::SendStream(const Call& call, const DockerRequest& request) {
  int64_t total = 0;
  std::string gathered;
  while (true) {
    source_failed_ = true;
    A4C_TRY(const std::string piece, (*request.stream)());
    total += static_cast<int64_t>(piece.size());
    if (total > request.stream_bytes_max) {
      return Error(Code::kInvalid, "the stream is longer than " +
                                       std::to_string(request.stream_bytes_max) + " bytes");
    }
    source_failed_ = false;
    char size[32];
    std::snprintf(size, sizeof(size), "%zx\r\n", piece.size());
    gathered.append(size).append(piece).append("\r\n");
    if (!piece.empty() && gathered.size() < kGatherBytes) continue;
    sent_ = piece.empty();
    A4C_CHECK(channel_->Write(call, gathered));
    if (piece.empty()) return {};
    gathered.clear();
  }
}

Result<void> DockerConnection::Send(const Call& call, const DockerRequest& request) {
  if (call.Stopping()) return Error(Code::kCanceled, "the caller has gone");
  if (call.Expired()) return Error(Code::kTimeout, "the deadline has passed");
  effect_ = request.effect;
  sent_ = request.stream == nullptr;  // one that is cut short is never complete
  A4C_CHECK(channel_->Write(call, HeadOf(request, fields_) + request.body));
  if (request.stream != nullptr) return SendStream(call, request);
  return {};
}

// False at the end of what the other side sends.
Result<bool> DockerConnection::Fill(const Call& call) {
  char piece[kPieceBytes];
  A4C_TRY(const size_t count, channel_->Read(call, piece, sizeof(piece)));
  buffer_.append(piece, count);
  return count > 0;
}

Result<int> DockerConnection::ReadHead(const Call& call) {
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kHeadBytesMax) return NotHttp("its head has no end");
    A4C_TRY(const bool more, Fill(call));
    if (more) continue;
    const std::string complaint = channel_->Complaint();
    return Error(Code::kUnavailable,
                 "docker: the connection was closed without an answer" +
                     (complaint.empty() ? "" : ": " + complaint),
                 "does dockerd run, and is the SSH user in the group docker?");
  }
  Poco::Net::HTTPResponse head;
  try {
    std::istringstream in(buffer_.substr(0, end + 4));
    head.read(in);
    left_ = head.hasContentLength() ? head.getContentLength64() : 0;
  } catch (const Poco::Exception& exception) {
    return NotHttp(exception.displayText());
  }
  buffer_.erase(0, end + 4);
  const int status = head.getStatus();
  if (status == 204 || status == 304) {
    framing_ = Framing::kNothing;
  } else if (head.getChunkedTransferEncoding()) {
    framing_ = Framing::kChunks;
    left_ = 0;
  } else {
    framing_ = head.hasContentLength() ? Framing::kLength : Framing::kUntilEnd;
  }
  if (left_ < 0) return NotHttp("a negative length");
  return status;
}

Result<std::optional<std::string>> DockerConnection::ReadNow() {
  if (!buffer_.empty()) return std::optional(std::exchange(buffer_, {}));
  std::string piece(kPieceBytes, '\0');
  A4C_TRY(const std::optional<size_t> count, channel_->ReadNow(piece.data(), piece.size()));
  if (!count) return std::optional<std::string>();
  piece.resize(*count);
  return std::optional(std::move(piece));
}

bool DockerConnection::Reusable() const {
  return whole_ && buffer_.empty();
}

Result<void> DockerConnection::Ask(const Call& call, const DockerRequest& request) {
  sent_ = false;
  whole_ = false;
  const auto sent = Send(call, request);
  if (!sent) return Judged(sent.error());
  return {};
}

Result<DockerReply> DockerConnection::Answer(const Call& call) {
  const auto status = ReadHead(call);
  if (!status) return Judged(status.error());
  A4C_TRY(std::string body, ReadAll(call));
  return DockerReply{*status, std::move(body)};
}

Result<int> DockerConnection::Begin(const Call& call, const DockerRequest& request) {
  const auto sent = Ask(call, request);
  if (!sent && request.stream != nullptr) return BrokenOff(call, sent.error());
  if (!sent) return sent.error();
  auto status = ReadHead(call);
  if (!status) return Judged(status.error());
  return status;
}

// Who refuses a stream says why before its end, and takes no more of it.
Result<int> DockerConnection::BrokenOff(const Call& call, const Error& error) {
  if (source_failed_) return error;
  auto status = ReadHead(call);
  return status && *status >= 400 ? status : Result<int>(Judged(error));
}

// At most `left` bytes, of which it takes off what it gives.
Result<std::string> DockerConnection::Take(const Call& call, int64_t& left) {
  if (buffer_.empty()) {
    A4C_TRY(const bool more, Fill(call));
    if (!more) return Error(Code::kUnavailable, "docker: the connection broke within an answer");
  }
  std::string piece = buffer_.substr(
      0, std::min(buffer_.size(), static_cast<size_t>(std::min<int64_t>(left, kPieceBytes))));
  buffer_.erase(0, piece.size());
  left -= static_cast<int64_t>(piece.size());
  return piece;
}

Result<std::string> DockerConnection::ReadLine(const Call& call) {
  size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (buffer_.size() > kHeadBytesMax) return NotHttp("a line has no end");
    A4C_TRY(const bool more, Fill(call));
    if (!more) return Error(Code::kUnavailable, "docker: the connection broke within an answer");
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

// Reads the size of the next chunk; after the last one framing_ is kNothing.
Result<void> DockerConnection::BeginChunk(const Call& call) {
  A4C_TRY(const std::string line, ReadLine(call));
  int64_t size = -1;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), size, 16);
  const bool whole = parsed.ptr == line.data() + line.size() || *parsed.ptr == ';';
  if (parsed.ec != std::errc() || !whole || size < 0) return NotHttp("a bad chunk size");
  left_ = size;
  if (size > 0) return {};
  while (true) {  // trailers, of which there are none, and the empty line
    A4C_TRY(const std::string trailer, ReadLine(call));
    if (trailer.empty()) break;
  }
  framing_ = Framing::kNothing;
  return {};
}

Result<std::string> DockerConnection::Read(const Call& call) {
  const auto next = [&]() -> Result<std::string> {
    if (framing_ == Framing::kUntilEnd) {
      if (buffer_.empty()) A4C_CHECK(Fill(call));
      return std::exchange(buffer_, {});
    }
    if (framing_ == Framing::kChunks && left_ == 0) A4C_CHECK(BeginChunk(call));
    if (framing_ == Framing::kNothing || left_ == 0) return std::string();
    A4C_TRY(std::string piece, Take(call, left_));
    if (framing_ == Framing::kChunks && left_ == 0) A4C_CHECK(ReadLine(call));
    return piece;
  };
  auto piece = next();
  if (!piece) return Judged(piece.error());
  // The end of what has no length is the end of the connection.
  if (piece->empty()) whole_ = framing_ != Framing::kUntilEnd;
  return piece;
}

Result<std::string> DockerConnection::ReadAll(const Call& call) {
  std::string body;
  while (true) {
    A4C_TRY(const std::string piece, Read(call));
    if (piece.empty()) return body;
    body += piece;
    if (static_cast<int64_t>(body.size()) > reply_bytes_max_) {
      return Judged(Error(Code::kUnavailable, "docker: an answer is longer than reply_bytes_max, " +
                                                  std::to_string(reply_bytes_max_)));
    }
  }
}

Result<DockerReply> DockerConnection::Exchange(const Call& call, const DockerRequest& request) {
  A4C_TRY(const int status, Begin(call, request));
  A4C_TRY(std::string body, ReadAll(call));
  return DockerReply{status, std::move(body)};
}

Result<Json> DockerConnection::ExchangeJson(const Call& call, const DockerRequest& request) {
  A4C_TRY(const DockerReply reply, Exchange(call, request));
  if (!reply.ok()) return DockerError(reply.status, reply.body, request.effect);
  auto json = ParseJson(reply.body, {.bytes_max = reply.body.size() + 1});
  if (!json) return NotHttp("its body is no JSON: " + json.error().message());
  return json;
}

}  // namespace a4c::baremetal
