// HTTP/1.1 over a byte channel, as much of it as the Docker API needs.
//
//   DockerConnection docker(std::move(channel), limits);
//   A4C_TRY(DockerReply reply, docker.Exchange(call, {.method = "GET", .target = "/version"}));
//
// An error before the first byte of a request was written means that nothing was done. After it, of
// a request with an effect, the outcome is unknown.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "a4c/host_images.h"
#include "a4c/json.h"
#include "ssh/byte_channel.h"

namespace a4c::baremetal {

struct DockerRequest {
  std::string method;
  std::string target;  // path and query, encoded; below /a4c/ of the helper, else of dockerd
  std::string body = {};
  std::string content_type = "application/json";
  const ByteSource* stream = nullptr;  // instead of body: sent chunked as it comes
  int64_t stream_bytes_max = 0;
  bool effect = false;                             // changes something on the server
  std::map<std::string, std::string> fields = {};  // of the header; may be secret
  bool upgrade = false;  // for a stream both ways: the answer is kSwitched, no HTTP follows
};

inline constexpr int kSwitched = 101;

struct DockerReply {
  int status = 0;
  std::string body = {};
  bool ok() const { return status >= 200 && status < 300; }
};

// "a b/c" → "a%20b%2Fc": fit for a segment of a path and for a query.
std::string PercentEncode(std::string_view text);

// [one thread at a time]
class DockerConnection {
 public:
  DockerConnection(std::unique_ptr<ByteChannel> channel, int64_t reply_bytes_max)
      : channel_(std::move(channel)), reply_bytes_max_(reply_bytes_max) {}

  // Header fields that go with every request from now on.
  void SetFields(std::map<std::string, std::string> fields) { fields_ = std::move(fields); }

  // Sends it and reads the whole answer, of any status.
  Result<DockerReply> Exchange(const Call& call, const DockerRequest& request);
  // The two halves of that, of a request without a stream: several connections can wait at once.
  Result<void> Ask(const Call& call, const DockerRequest& request);
  Result<DockerReply> Answer(const Call& call);
  // As Exchange, but an answer that is no success is an error, and so is one that is no JSON.
  Result<Json> ExchangeJson(const Call& call, const DockerRequest& request);

  // Sends it and reads the head of the answer: the status. Then Read gives the body piece by piece,
  // empty at its end.
  Result<int> Begin(const Call& call, const DockerRequest& request);
  Result<std::string> Read(const Call& call);
  // What is left of the body.
  Result<std::string> ReadAll(const Call& call);

  // After kSwitched: what comes, and the channel for what goes. Nothing: not now; empty: the end.
  Result<std::optional<std::string>> ReadNow();
  ByteChannel& channel() { return *channel_; }

  // True if the last answer was read to its end and another request may follow.
  bool Reusable() const;
  bool Alive() const { return channel_->Alive(); }

 private:
  enum class Framing : uint8_t { kNothing, kLength, kChunks, kUntilEnd };

  Result<void> Send(const Call& call, const DockerRequest& request);
  Result<void> SendStream(const Call& call, const DockerRequest& request);
  Result<int> ReadHead(const Call& call);
  Result<int> BrokenOff(const Call& call, const Error& error);
  Result<bool> Fill(const Call& call);
  Result<std::string> ReadLine(const Call& call);
  Result<std::string> Take(const Call& call, int64_t& left);
  Result<void> BeginChunk(const Call& call);
  Error Judged(const Error& error) const;

  const std::unique_ptr<ByteChannel> channel_;
  const int64_t reply_bytes_max_;
  std::map<std::string, std::string> fields_;
  std::string buffer_;  // read, not yet taken
  Framing framing_ = Framing::kNothing;
  int64_t left_ = 0;  // of the body, or of the chunk
  bool effect_ = false;
  bool sent_ = false;
  bool source_failed_ = false;  // of a stream that is sent
  bool whole_ = true;           // nothing is half sent or half read
};

}  // namespace a4c::baremetal
