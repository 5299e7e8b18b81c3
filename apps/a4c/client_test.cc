#include "apps/a4c/client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "a4c/sinks.h"
#include "apps/a4c/session.h"
#include "tests/support/canned.h"
#include "tests/support/silent_names.h"

namespace a4c_cli {
namespace {

using a4c::testing::Canned;

const a4c::Runtime& TheRuntime() {
  static const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  return runtime;
}

constexpr const char* kCutByLength =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{\"items\":[";
constexpr const char* kCutInAChunk =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    "40\r\n{\"items\":[";
constexpr const char* kCutText =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 90\r\n\r\nthe first half";
constexpr const char* kWhole =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n"
    "{\"items\":1}";

a4c::Result<Reply> AnswerOf(const Canned& server, int64_t timeout_ms) {
  const auto client =
      NewClient({.url = server.url(), .api_key = "", .timeout_ms = timeout_ms}, TheRuntime());
  return (*client)->Send({.method = "GET", .path = "/v1/jobs"});
}

// It was shown as an empty list, and the exit code was 0.
TEST(Client, AnAnswerThatIsCutOffIsNone) {
  for (const char* answer : {kCutByLength, kCutInAChunk, kCutText}) {
    const auto reply = AnswerOf(Canned({answer}), 300);
    ASSERT_FALSE(reply) << answer;
    EXPECT_EQ(reply.error().code(), a4c::Code::kUnavailable) << reply.error().ToString();
    EXPECT_TRUE(reply.error().retryable());
  }
}

TEST(Client, AnAnswerThatIsCutOffIsAskedForAgain) {
  const auto reply = AnswerOf(Canned({kCutByLength, kCutInAChunk, kWhole}), 10'000);
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->body["items"].Int(), 1);
}

constexpr const char* kPastItsRate =
    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n";

// Who comes back earlier is refused again.
TEST(Client, ItComesBackNoEarlierThanItIsTold) {
  const int64_t begun_ms = TheRuntime().clock.MonotonicMs();
  const auto reply = AnswerOf(Canned({kPastItsRate, kWhole}), 10'000);
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->status, 200);
  EXPECT_GE(TheRuntime().clock.MonotonicMs() - begun_ms, 2'000);
  const Canned busy({kPastItsRate});
  EXPECT_EQ(AnswerOf(busy, 500)->status, 429);
  EXPECT_EQ(busy.requests().size(), 1u) << "by then its time is over";
}

// Enrolling a server may take longer than all else.
TEST(Client, WhatIsSlowHasATimeOfItsOwn) {
  const Canned server({kPastItsRate, kWhole});
  const auto client =
      NewClient({.url = server.url(), .api_key = "", .timeout_ms = 500, .slow_timeout_ms = 10'000},
                TheRuntime());
  const auto reply = (*client)->Send({.method = "POST", .path = "/v1/hosts", .is_slow = true});
  ASSERT_TRUE(reply) << reply.error().ToString();
  EXPECT_EQ(reply->status, 200);
}

TEST(Client, AWebPageIsNoAnswerOfTheApi) {
  const auto reply = AnswerOf(
      Canned({"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"}),
      300);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code(), a4c::Code::kInvalid);
  EXPECT_NE(reply.error().hint().find("--url"), std::string::npos);
}

TEST(Client, NameServersThatAreSilentEndWithTheTimeThatWasGiven) {
  const a4c::testing::SilentNames silent;
  for (const char* url : {"http://a4cd.silent.test:7070", "https://a4cd.silent.test"}) {
    const auto client = NewClient({.url = url, .api_key = "", .timeout_ms = 20}, TheRuntime());
    ASSERT_TRUE(client);
    const auto reply = (*client)->Send({.method = "GET", .path = "/livez"});
    ASSERT_FALSE(reply) << url;
    EXPECT_EQ(reply.error().code(), a4c::Code::kTimeout);
    EXPECT_NE(reply.error().message().find(url), std::string::npos) << reply.error().ToString();
    EXPECT_NE(reply.error().hint().find("/etc/resolv.conf"), std::string::npos);
    EXPECT_FALSE((*client)->Switch("/v1/sessions", "a4c"));
    EXPECT_FALSE((*client)->Upload({.method = "PUT", .path = "/v1/images"}, 0,
                                   [] { return std::string(); }));
  }
}

// It may come from standard input, which is not there a second time.
TEST(ASession, ReadsItsKeyOnceHoweverManyConnectionsItMakes) {
  const std::string file = ::testing::TempDir() + "a4c_session_key_" + std::to_string(getpid());
  std::ofstream(file) << "a4c_key\n";
  Session session(TheRuntime());
  session.endpoint.url = "http://127.0.0.1:1";
  session.endpoint.api_key_file = file;
  EXPECT_TRUE(session.Open());
  std::filesystem::remove(file);
  EXPECT_TRUE(session.Open());
  EXPECT_EQ(session.Resolved()->api_key, "a4c_key");
}

}  // namespace
}  // namespace a4c_cli
