#include "apps/websocket/connection.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "a4c/sinks.h"

namespace a4c_websocket {
namespace {

using a4c::Code;

class WebSocketConnection : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds_), 0); }
  void TearDown() override {
    for (const int fd : fds_) {
      if (fd >= 0) close(fd);
    }
  }
  Connection Make(Side side, const ConnectionOptions& options = {}, std::string_view early = {}) {
    static const a4c::Runtime runtime =
        a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    return Connection(fds_[side == Side::kServer ? 0 : 1], side, options, runtime, early);
  }

  int fds_[2] = {-1, -1};
};

TEST_F(WebSocketConnection, CarriesMessagesBothWaysAndAnswersPings) {
  Connection server = Make(Side::kServer);
  Connection client = Make(Side::kClient);
  client.Send(Kind::kPing, "there?");
  client.Send(Kind::kText, "hello");
  EXPECT_FALSE(client.Flushed());
  ASSERT_TRUE(client.Flush());
  EXPECT_TRUE(client.Flushed());
  const auto got = server.Receive();
  ASSERT_TRUE(got && *got);
  EXPECT_EQ((*got)->kind, Kind::kText);
  EXPECT_EQ((*got)->bytes, "hello");
  EXPECT_FALSE(server.Flushed());  // the pong
  server.Send(Kind::kBinary, "there");
  ASSERT_TRUE(server.Flush());
  const auto answer = client.Receive();
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->bytes, "there");
}

TEST_F(WebSocketConnection, SaysWhenNoMoreShouldBeSentAndLosesNothing) {
  Connection server = Make(Side::kServer, {.unsent_bytes_max = 100'000});
  Connection client = Make(Side::kClient);
  std::string sent;
  for (char c = 'a'; !server.Full(); c = c == 'z' ? 'a' : static_cast<char>(c + 1)) {
    const std::string bytes(10'000, c);
    server.Send(Kind::kBinary, bytes);
    ASSERT_TRUE(server.Flush());
    sent += bytes;
    ASSERT_LT(sent.size(), 100'000'000u);
  }
  EXPECT_EQ(server.Events(false), POLLOUT);
  std::string got;
  while (got.size() < sent.size()) {
    const auto message = client.Receive();
    ASSERT_TRUE(message);
    if (*message) got += (*message)->bytes;
    ASSERT_TRUE(server.Flush());
  }
  EXPECT_TRUE(got == sent);
  EXPECT_TRUE(server.Flushed());
}

TEST_F(WebSocketConnection, OfPingsThatAreNotWaitedForTheLastIsAnsweredInBoundedMemory) {
  Connection server = Make(Side::kServer, {.unsent_bytes_max = 4'000});
  Connection client = Make(Side::kClient);
  const std::string much(125, 'p');
  // The client reads nothing: what is not sent is only what the server keeps.
  int kept = 0;
  for (int i = 0; i < 20'000; ++i) {
    client.Send(Kind::kPing, i == 19'999 ? "the last" : much);
    ASSERT_TRUE(client.Flush());
    const auto none = server.Receive();
    ASSERT_TRUE(none && !*none);
    if (server.Full()) ++kept;
  }
  EXPECT_EQ(kept, 20'000 - 4'000 / 127);
  size_t pongs = 0;
  std::string got;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(server.Flush());
    std::array<char, 65536> piece{};
    const ssize_t count = recv(fds_[1], piece.data(), piece.size(), MSG_DONTWAIT);
    if (count > 0) got.append(piece.data(), static_cast<size_t>(count));
  }
  for (size_t at = 0; at < got.size(); at += 2 + static_cast<unsigned char>(got[at + 1])) ++pongs;
  EXPECT_LT(pongs, 40u);
  EXPECT_TRUE(got.ends_with("the last"));
}

// It is in memory by then: the socket would be waited for in vain.
TEST_F(WebSocketConnection, SaysThatMoreHasComeThanItTookAtOnce) {
  Connection server = Make(Side::kServer);
  Connection client = Make(Side::kClient);
  for (int i = 0; i < 1'000; ++i) client.Send(Kind::kPing, "");
  client.Send(Kind::kText, "hello");
  ASSERT_TRUE(client.Flush());
  std::string got;
  for (int i = 0; i < 100 && got.empty(); ++i) {
    const auto message = server.Receive();
    ASSERT_TRUE(message);
    if (*message) got = (*message)->bytes;
    if (!*message && !server.HasMore()) break;
  }
  EXPECT_EQ(got, "hello");
  const auto none = server.Receive();
  EXPECT_TRUE(none && !*none && !server.HasMore());
}

TEST_F(WebSocketConnection, WhatIsSentBehindAMessageThatIsMostlyOutFollowsIt) {
  Connection server = Make(Side::kServer);
  Connection client = Make(Side::kClient);
  const std::string first(900'000, 'a');
  server.Send(Kind::kBinary, first);
  // Piece by piece, so that at each stage of the first there is something new behind it.
  std::string sent = first;
  std::string got;
  while (got.size() < sent.size()) {
    ASSERT_TRUE(server.Flush());
    if (sent.size() < 2 * first.size()) {
      server.Send(Kind::kBinary, "behind");
      sent += "behind";
    }
    const auto message = client.Receive();
    ASSERT_TRUE(message);
    if (*message) got += (*message)->bytes;
    if (got.size() >= first.size()) break;
  }
  while (got.size() < sent.size()) {
    ASSERT_TRUE(server.Flush());
    const auto message = client.Receive();
    ASSERT_TRUE(message && *message);
    got += (*message)->bytes;
  }
  EXPECT_TRUE(got == sent);
}

TEST_F(WebSocketConnection, AMessageOfTwoPartsArrivesAsOne) {
  Connection server = Make(Side::kServer);
  Connection client = Make(Side::kClient);
  client.Send(Kind::kBinary, "one", "two");
  ASSERT_TRUE(client.Flush());
  const auto message = server.Receive();
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->bytes, "onetwo");
}

TEST_F(WebSocketConnection, WhatWasReadBeforeCountsFirst) {
  Connection client = Make(Side::kClient, {}, EncodeFrame(Kind::kText, "early", {}));
  const auto message = client.Receive();
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->bytes, "early");
}

TEST_F(WebSocketConnection, TheOtherSidesEndIsSeenBothWays) {
  Connection server = Make(Side::kServer);
  close(fds_[1]);
  fds_[1] = -1;
  const auto message = server.Receive();
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().code(), Code::kUnavailable);
  server.Send(Kind::kText, "anybody?");
  EXPECT_FALSE(server.Flush());
}

}  // namespace
}  // namespace a4c_websocket
