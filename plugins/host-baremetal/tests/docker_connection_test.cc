#include "docker/docker_connection.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "a4c/sinks.h"
#include "tests/test_channel.h"

namespace a4c::baremetal {
namespace {

const Clock& TestClock() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime.clock;
}

// Answers with what it was given, a few bytes at a time, and keeps what was written.
struct Script {
  std::string answer;
  size_t piece = 3;
  std::string written = {};
  int writes = 0;
  bool write_fails = false;
  std::string complaint = {};
};

class ScriptedChannel final : public TestChannel {
 public:
  explicit ScriptedChannel(Script& script) : script_(script) {}
  Result<size_t> Read(const Call&, char* buffer, size_t size) override {
    const size_t count = std::min({size, script_.piece, script_.answer.size() - at_});
    std::copy_n(script_.answer.data() + at_, count, buffer);
    at_ += count;
    return count;
  }
  Result<void> Write(const Call&, std::string_view bytes) override {
    if (script_.write_fails) return Error(Code::kUnavailable, "ssh: broken");
    script_.written += bytes;
    ++script_.writes;
    return {};
  }
  std::string Complaint() override { return script_.complaint; }

 private:
  Script& script_;
  size_t at_ = 0;
};

Call Soon() {
  return Call::Within(TestClock(), 10'000);
}

Result<DockerReply> Ask(Script& script, const DockerRequest& request) {
  DockerConnection docker(std::make_unique<ScriptedChannel>(script), 10'000);
  return docker.Exchange(Soon(), request);
}
DockerRequest Get() {
  return {.method = "GET", .target = "/x"};
}
DockerRequest Effect() {
  return {.method = "POST", .target = "/x", .body = "{}", .effect = true};
}

TEST(DockerConnection, WritesWhatHttpAsksFor) {
  Script script{.answer = "HTTP/1.1 204 No Content\r\n\r\n"};
  const auto reply = Ask(script, Effect());
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->status, 204);
  EXPECT_TRUE(script.written.starts_with("POST /v1.41/x HTTP/1.1\r\n")) << script.written;
  EXPECT_NE(script.written.find("Host: docker\r\n"), std::string::npos);
  EXPECT_NE(script.written.find("Content-Length: 2\r\n"), std::string::npos);
  EXPECT_TRUE(script.written.ends_with("\r\n\r\n{}"));
}

TEST(DockerConnection, ReadsBodiesOfAllFramings) {
  for (const size_t piece : {1, 2, 7, 4096}) {
    Script length{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", .piece = piece};
    EXPECT_EQ(Ask(length, Get())->body, "hello");
    Script chunks{.answer =
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
                  .piece = piece};
    EXPECT_EQ(Ask(chunks, Get())->body, "hello");
    Script close{.answer = "HTTP/1.1 200 OK\r\n\r\nhello", .piece = piece};
    EXPECT_EQ(Ask(close, Get())->body, "hello");
  }
}

TEST(DockerConnection, SeveralExchangesUseOneChannel) {
  Script script{.answer =
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
                    "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\ncd"
                    "HTTP/1.1 304 Not Modified\r\n\r\n"
                    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ne"};
  DockerConnection docker(std::make_unique<ScriptedChannel>(script), 10'000);
  EXPECT_EQ(docker.Exchange(Soon(), Get())->body, "ab");
  EXPECT_EQ(docker.Exchange(Soon(), Get())->status, 404);
  EXPECT_EQ(docker.Exchange(Soon(), Get())->status, 304);
  EXPECT_EQ(docker.Exchange(Soon(), Get())->body, "");
  EXPECT_EQ(docker.Exchange(Soon(), Get())->body, "e");
}

TEST(DockerConnection, AStreamIsSentInChunks) {
  Script script{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
  int calls = 0;
  const ByteSource source = [&]() -> Result<std::string> {
    return std::string(++calls == 1 ? "0123456789abcdefg" : calls == 2 ? "z" : "");
  };
  const auto reply = Ask(script, {.method = "POST",
                                  .target = "/build",
                                  .stream = &source,
                                  .stream_bytes_max = 18,
                                  .effect = true});
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_TRUE(script.written.ends_with("\r\n\r\n11\r\n0123456789abcdefg\r\n1\r\nz\r\n0\r\n\r\n"))
      << script.written;
  calls = 0;
  const auto longer = Ask(script, {.method = "POST",
                                   .target = "/build",
                                   .stream = &source,
                                   .stream_bytes_max = 17,
                                   .effect = true});
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code(), Code::kInvalid);
}

TEST(DockerConnection, ALongStreamIsSentInFewWritesAndNeverHeldWhole) {
  Script script{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
  constexpr int kPieces = 256;
  const std::string piece(32u << 10, 'x');
  int calls = 0;
  const ByteSource source = [&]() -> Result<std::string> {
    return ++calls <= kPieces ? piece : std::string();
  };
  const auto reply = Ask(script, {.method = "POST",
                                  .target = "/build",
                                  .stream = &source,
                                  .stream_bytes_max = int64_t{kPieces} << 15,
                                  .effect = true});
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_LE(script.writes, kPieces / 4);
  EXPECT_GE(script.writes, kPieces / 16);
  std::string chunks;
  for (int i = 0; i < kPieces; ++i) chunks += "8000\r\n" + piece + "\r\n";
  EXPECT_TRUE(script.written.ends_with("\r\n\r\n" + chunks + "0\r\n\r\n"));
}

TEST(DockerConnection, AfterASwitchItIsAStreamThatBeginsWithWhatCameWithTheAnswer) {
  Script script{.answer = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\nearly", .piece = 45};
  DockerConnection docker(std::make_unique<ScriptedChannel>(script), 10'000);
  const auto status =
      docker.Begin(Soon(), {.method = "POST", .target = "/x", .effect = true, .upgrade = true});
  ASSERT_TRUE(status) << status.error().ToString();
  EXPECT_EQ(*status, kSwitched);
  EXPECT_NE(script.written.find("Connection: Upgrade\r\nUpgrade: tcp\r\n"), std::string::npos)
      << script.written;
  std::string got;
  while (true) {
    const auto bytes = docker.ReadNow();
    ASSERT_TRUE(bytes && *bytes);
    if ((*bytes)->empty()) break;
    got += **bytes;
  }
  EXPECT_EQ(got, "early");
  EXPECT_FALSE(docker.Reusable());
}

TEST(DockerConnection, ALostAnswerIsUnknownOfAnEffectAndRetryableOfARead) {
  for (const char* answer : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Script script{.answer = answer};
    const auto effect = Ask(script, Effect());
    ASSERT_FALSE(effect) << answer;
    EXPECT_EQ(effect.error().code(), Code::kUnknownOutcome) << answer;
    const auto read = Ask(script, Get());
    ASSERT_FALSE(read) << answer;
    EXPECT_EQ(read.error().code(), Code::kUnavailable) << answer;
  }
}

TEST(DockerConnection, AWriteThatFailedHalfWayIsUnknownOfAnEffect) {
  Script script{.answer = "", .write_fails = true};
  EXPECT_EQ(Ask(script, Effect()).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(Ask(script, Get()).error().code(), Code::kUnavailable);
}

TEST(DockerConnection, NothingIsWrittenForACallThatHasEnded) {
  Script script{.answer = "HTTP/1.1 204 No Content\r\n\r\n"};
  DockerConnection docker(std::make_unique<ScriptedChannel>(script), 10'000);
  EXPECT_EQ(docker.Exchange(Call::Within(TestClock(), 0), Effect()).error().code(), Code::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(
      docker.Exchange(Call::Within(TestClock(), 10'000, stop.get_token()), Effect()).error().code(),
      Code::kCanceled);
  EXPECT_EQ(script.written, "");
}

TEST(DockerConnection, WhatIsNotHttpIsRefusedAndBounded) {
  for (const std::string& answer :
       {std::string("SSH-2.0-OpenSSH\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), std::string(100'000, 'x'),
        "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + std::string(20'000, 'x')}) {
    Script script{.answer = answer, .piece = 4096};
    const auto reply = Ask(script, Get());
    ASSERT_FALSE(reply) << answer.substr(0, 60);
    EXPECT_EQ(reply.error().code(), Code::kUnavailable);
  }
}

TEST(DockerConnection, WhatTheCommandComplainedIsInTheMessage) {
  Script script{.answer = "", .complaint = "permission denied"};
  EXPECT_NE(Ask(script, Get()).error().message().find("permission denied"), std::string::npos);
}

TEST(PercentEncode, LeavesOnlyWhatIsSafe) {
  EXPECT_EQ(PercentEncode("aZ0-_.~"), "aZ0-_.~");
  EXPECT_EQ(PercentEncode("a b/c?d&e=%\xc3\xa4"), "a%20b%2Fc%3Fd%26e%3D%25%C3%A4");
}

}  // namespace
}  // namespace a4c::baremetal
