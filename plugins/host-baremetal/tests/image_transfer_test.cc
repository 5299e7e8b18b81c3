// Pulls, sends and builds as dockerd tells of them, over channels that play a part.
#include "images/image_transfer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "a4c/sinks.h"
#include "docker/engine_messages.h"
#include "tests/support/tar.h"
#include "tests/test_channel.h"

namespace a4c::baremetal {
namespace {

constexpr int64_t kMiB = 1 << 20;

// Gives `head`, then `filler_bytes` of nothing, then `tail`; keeps the beginning of what is
// written, and how long the longest piece was.
struct Part {
  std::string head;
  int64_t filler_bytes = 0;
  std::string tail = {};
  std::string written = {};
  int64_t written_bytes = 0;
  size_t piece_max = 0;
};

class PlayingChannel final : public TestChannel {
 public:
  explicit PlayingChannel(Part& part) : part_(part) {}
  Result<size_t> Read(const Call&, char* buffer, size_t size) override {
    if (!part_.head.empty()) return TakeFrom(part_.head, buffer, size);
    if (part_.filler_bytes > 0) {
      const size_t count = std::min(size, static_cast<size_t>(part_.filler_bytes));
      std::fill_n(buffer, count, '\0');
      part_.filler_bytes -= static_cast<int64_t>(count);
      return count;
    }
    return TakeFrom(part_.tail, buffer, size);
  }
  Result<void> Write(const Call&, std::string_view bytes) override {
    if (part_.written.size() < 4096) part_.written += bytes;
    part_.written_bytes += static_cast<int64_t>(bytes.size());
    part_.piece_max = std::max(part_.piece_max, bytes.size());
    last = bytes;
    return {};
  }
  std::string Complaint() override { return {}; }
  static std::string last;

 private:
  static size_t TakeFrom(std::string& text, char* buffer, size_t size) {
    const size_t count = std::min(size, text.size());
    std::copy_n(text.data(), count, buffer);
    text.erase(0, count);
    return count;
  }

  Part& part_;
};
std::string PlayingChannel::last;

Call Soon() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return Call::Within(runtime.clock, 60'000);
}
DockerConnection Connection(Part& part) {
  return DockerConnection(std::make_unique<PlayingChannel>(part), kMiB);
}
std::string Answer(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}
const Progress kNobody = [](std::string_view) {};

Result<void> Pull(const std::string& status, const std::string& body,
                  const RegistryOptions& registry = {.address = "reg:5000"}) {
  Part part{.head = Answer(status, body)};
  DockerConnection docker = Connection(part);
  return PullImage(Soon(), docker, "reg:5000/app:1", registry, kNobody);
}

TEST(ImagePull, TheCredentialIsInAHeaderFieldAlone) {
  const auto file =
      std::filesystem::temp_directory_path() / ("a4c-pull-" + std::to_string(getpid()));
  std::ofstream(file) << "s3cret";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  Part part{.head = Answer("200 OK", R"({"status":"Pulling","id":"1"})")};
  DockerConnection docker = Connection(part);
  std::string said;
  const auto pulled = PullImage(Soon(), docker, "reg:5000/app@sha256:1",
                                {.address = "reg:5000", .username = "ann", .password_file = file},
                                [&](std::string_view text) { said += text; });
  std::filesystem::remove(file);
  ASSERT_TRUE(pulled) << pulled.error().ToString();
  EXPECT_TRUE(part.written.starts_with(
      "POST /v1.41/images/create?fromImage=reg%3A5000%2Fapp&tag=sha256%3A1 HTTP/1.1\r\n"))
      << part.written;
  EXPECT_NE(part.written.find("X-Registry-Auth: "), std::string::npos);
  EXPECT_EQ(part.written.find("s3cret"), std::string::npos);
  EXPECT_EQ(said, "1: Pulling\n");
}

// As dockerd 20.10 and Debian's docker-registry word them.
TEST(ImagePull, WhatFailedIsToldByTheWords) {
  const std::pair<const char*, Code> cases[] = {
      {"manifest for reg:5000/app:1 not found: manifest unknown: manifest unknown",
       Code::kNotFound},
      {"unauthorized: authentication required", Code::kDenied},
      {"Head \"https://reg:5000/v2/app/manifests/1\": no basic auth credentials", Code::kDenied},
      {"pull access denied for app, repository does not exist or may require 'docker login'",
       Code::kDenied},
      {"Get \"https://reg:5000/v2/\": dial tcp 10.0.0.1:5000: connect: connection refused",
       Code::kUnavailable},
      {"Get \"https://reg:5000/v2/\": x509: certificate signed by unknown authority",
       Code::kDenied},
      {"write /var/lib/docker/tmp/x: no space left on device", Code::kExhausted},
      {"toomanyrequests: You have reached your pull rate limit", Code::kExhausted}};
  for (const auto& [text, code] : cases) {
    Json body;
    body.Set("message", text);
    EXPECT_EQ(Pull("500 Internal Server Error", body.ToString()).error().code(), code) << text;
    Json line;
    line.Set("errorDetail", Json::Object{{"message", text}}).Set("error", text);
    EXPECT_EQ(Pull("200 OK", line.ToString()).error().code(), code) << "in the stream: " << text;
  }
}

TEST(ImageSend, AnImageIsStreamedInSmallPiecesAndEnded) {
  Part from{.head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(64 * kMiB) + "\r\n\r\n",
            .filler_bytes = 64 * kMiB};
  Part to{.head = Answer("200 OK", R"({"stream":"Loaded image ID: sha256:1\n"})")};
  DockerConnection source = Connection(from);
  DockerConnection target = Connection(to);
  const auto copied = CopyImage(Soon(), source, target, {"sha256:1", 100 * kMiB});
  ASSERT_TRUE(copied) << copied.error().ToString();
  EXPECT_TRUE(from.written.starts_with("GET /v1.41/images/sha256%3A1/get "));
  EXPECT_TRUE(to.written.starts_with("POST /v1.41/images/load?quiet=1 "));
  EXPECT_GE(to.written_bytes, 64 * kMiB);
  EXPECT_LE(to.piece_max, 512u << 10) << "kept in memory";
  EXPECT_EQ(PlayingChannel::last, "0\r\n\r\n");
}

TEST(ImageSend, AStreamThatBreaksOffIsNeverEnded) {
  Part from{.head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", .filler_bytes = 5'000};
  Part to{.head = Answer("200 OK", "{}")};
  DockerConnection source = Connection(from);
  DockerConnection target = Connection(to);
  const auto copied = CopyImage(Soon(), source, target, {"sha256:1", kMiB});
  ASSERT_FALSE(copied);
  EXPECT_TRUE(copied.error().retryable()) << copied.error().ToString();
  EXPECT_NE(PlayingChannel::last, "0\r\n\r\n") << "half an image was declared whole";
  EXPECT_FALSE(target.Reusable());
}

TEST(ImageSend, AnImageBeyondTheBoundIsBrokenOff) {
  Part from{.head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(8 * kMiB) + "\r\n\r\n",
            .filler_bytes = 8 * kMiB};
  Part to{.head = Answer("200 OK", "{}")};
  DockerConnection source = Connection(from);
  DockerConnection target = Connection(to);
  const auto copied = CopyImage(Soon(), source, target, {"sha256:1", kMiB});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), Code::kInvalid) << copied.error().ToString();
  EXPECT_LE(to.written_bytes, 2 * kMiB);
}

TEST(ImageSend, AnEngineThatCannotTakeItSaysSoInItsStream) {
  Part from{.head = Answer("200 OK", "tar")};
  Part to{.head = Answer("200 OK", R"({"errorDetail":{"message":"no space left on device"}})")};
  DockerConnection source = Connection(from);
  DockerConnection target = Connection(to);
  const auto copied = CopyImage(Soon(), source, target, {"sha256:1", kMiB});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), Code::kExhausted) << copied.error().ToString();
}

// Answers one request after the other; keeps what was written.
class AnsweringChannel final : public TestChannel {
 public:
  AnsweringChannel(std::vector<std::string> answers, std::string& written)
      : answers_(std::move(answers)), written_(written) {}
  Result<size_t> Read(const Call&, char* buffer, size_t size) override {
    if (now_.empty() && next_ < answers_.size()) now_ = answers_[next_++];
    const size_t count = std::min(size, now_.size());
    std::copy_n(now_.data(), count, buffer);
    now_.erase(0, count);
    return count;
  }
  Result<void> Write(const Call&, std::string_view bytes) override {
    written_ += bytes;
    return {};
  }
  std::string Complaint() override { return {}; }

 private:
  const std::vector<std::string> answers_;
  std::string& written_;
  size_t next_ = 0;
  std::string now_;
};

// An image of two layers is sent, the first of which is taken to be there.
class ImageSendWithoutALayer : public ::testing::Test {
 protected:
  const std::string there_ = TarEntry("a/layer.tar", std::string(5000, 'a'));
  const std::string archive_ = there_ + TarEntry("b/layer.tar", std::string(600, 'b')) +
                               TarEntry("manifest.json", "[]") + TarEnd();
  const std::string taken_ = Answer("200 OK", R"({"stream":"Loaded image ID: sha256:1\n"})");

  Result<CopiedBytes> Copy(std::vector<std::string> archives,
                           const std::vector<std::string>& answers) {
    for (std::string& archive : archives) archive = Answer("200 OK", archive);
    DockerConnection from(std::make_unique<AnsweringChannel>(archives, asked_), kMiB);
    DockerConnection to(std::make_unique<AnsweringChannel>(answers, loaded_), kMiB);
    return CopyImage(Soon(), from, to,
                     {.reference = "sha256:1", .bytes_max = kMiB, .leave_out = [](auto path) {
                        return path == "a/layer.tar";
                      }});
  }
  static int Count(const std::string& text, const std::string& part) {
    int count = 0;
    for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  int loads() const { return Count(loaded_, "POST /v1.41/images/load"); }
  bool has_sent_it() const { return Count(loaded_, "aaaa") > 0; }

  std::string asked_;
  std::string loaded_;
};

std::string Refusal(const std::string& message) {
  Json line;
  line.Set("errorDetail", Json::Object{{"message", message}}).Set("error", message);
  return Answer("200 OK", line.ToString());
}

TEST_F(ImageSendWithoutALayer, ItIsNotSent) {
  const auto copied = Copy({archive_}, {taken_});
  ASSERT_TRUE(copied) << copied.error().ToString();
  EXPECT_EQ(copied->left_out, static_cast<int64_t>(there_.size()));
  EXPECT_EQ(copied->sent, static_cast<int64_t>(archive_.size() - there_.size()));
  EXPECT_FALSE(has_sent_it());
  EXPECT_EQ(Count(loaded_, "b/layer.tar"), 1);
  EXPECT_EQ(Count(loaded_, "manifest.json"), 1);
  EXPECT_EQ(loads(), 1);
}

// As dockerd words it, and as an engine does that answers with a status.
TEST_F(ImageSendWithoutALayer, IfItHasGoneMeanwhileAllIsSentOnce) {
  for (const std::string& refusal :
       {Refusal("open /var/lib/docker/tmp/docker-import-1/a/layer.tar: no such file or directory"),
        Answer("500 Internal Server Error", R"({"message":"layer tarfiles are missing"})")}) {
    loaded_.clear();
    const auto copied = Copy({archive_, archive_}, {refusal, taken_});
    ASSERT_TRUE(copied) << copied.error().ToString();
    EXPECT_EQ(copied->left_out, 0);
    EXPECT_EQ(copied->sent, static_cast<int64_t>(archive_.size()));
    EXPECT_TRUE(has_sent_it());
    EXPECT_EQ(loads(), 2);
  }
  loaded_.clear();
  const std::string refusal = Refusal("open b/layer.tar: no such file or directory");
  const auto copied = Copy({archive_, archive_, archive_}, {refusal, refusal, taken_});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code(), Code::kUnavailable) << copied.error().ToString();
  EXPECT_EQ(loads(), 2);
}

TEST_F(ImageSendWithoutALayer, WhatMoreBytesCannotHelpIsSaidAtOnce) {
  const auto full = Copy({archive_, archive_}, {Refusal("no space left on device"), taken_});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), Code::kExhausted) << full.error().ToString();
  const auto broken = Copy({archive_, archive_}, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"});
  ASSERT_FALSE(broken);
  EXPECT_TRUE(broken.error().unknown_outcome()) << broken.error().ToString();
  EXPECT_EQ(loads(), 2) << "one of each";
}

TEST_F(ImageSendWithoutALayer, AnArchiveThatIsNoneIsNeverEnded) {
  const auto copied = Copy({there_ + "{\"message\":\"input/output error\"}"}, {taken_});
  ASSERT_FALSE(copied);
  EXPECT_TRUE(copied.error().retryable()) << copied.error().ToString();
  EXPECT_FALSE(loaded_.ends_with("0\r\n\r\n"));
  EXPECT_EQ(loads(), 1);
}

// As dockerd 20.10 says it.
EngineMessages Heard(const std::vector<std::string>& said) {
  std::string body;
  for (const std::string& text : said) {
    Json line;
    line.Set("stream", text);
    body += line.ToString() + "\r\n";
  }
  Part part{.head = Answer("200 OK", body)};
  DockerConnection docker = Connection(part);
  EngineMessages messages(kNobody);
  EXPECT_TRUE(docker.Begin(Soon(), {.method = "POST", .target = "/build"}));
  EXPECT_TRUE(messages.ReadAll(Soon(), docker));
  return messages;
}

TEST(ImageBuildMessages, TheLastLayerIsOneThatThisBuildMade) {
  const std::vector<std::string> start = {"Step 1/3 : FROM busybox:local", "\n",
                                          " ---> 1a58c124caa3\n", "Step 2/3 : RUN echo hi", "\n"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), start.begin(), start.end());
    return Heard(more).layer_id();
  };
  EXPECT_EQ(with({}), "") << "the base image is not ours";
  EXPECT_EQ(with({" ---> Using cache\n", " ---> 310103a0cd3d\n"}), "") << "nor is the cache";
  EXPECT_EQ(with({" ---> Running in e43a8b230542\n", " ---> 310103a0cd3d\n"}), "310103a0cd3d");
}

}  // namespace
}  // namespace a4c::baremetal
