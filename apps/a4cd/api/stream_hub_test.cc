#include "apps/a4cd/api/stream_hub.h"

#include <Poco/Net/ServerSocket.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"
#include "tests/support/recording_sinks.h"

namespace a4cd {
namespace {

namespace net = Poco::Net;

// All that there is, at once.
class Whole final : public StreamSource {
 public:
  Whole(std::string bytes, std::atomic<bool>& gone) : bytes_(std::move(bytes)), gone_(gone) {}
  ~Whole() override { gone_ = true; }
  a4c::Result<Piece> Next(const a4c::Call&) override {
    return Piece{.bytes = std::move(bytes_), .last = true};
  }

 private:
  std::string bytes_;
  std::atomic<bool>& gone_;
};

class StreamHubTest : public ::testing::Test {
 protected:
  static constexpr size_t kMuch = 32 << 20;

  void Open(const StreamHubOptions& options) { hub_ = NewStreamHub(runtime_, options); }
  // One whose other end nobody reads.
  net::StreamSocket Unread() {
    readers_.emplace_back(listening_.address()).setReceiveTimeout(Poco::Timespan(60, 0));
    return listening_.acceptConnection();
  }
  static size_t ReadToTheEnd(net::StreamSocket& reader) {
    std::string piece(1 << 20, '\0');
    size_t came = 0;
    for (int got = 1; got > 0; came += static_cast<size_t>(std::max(got, 0))) {
      got = reader.receiveBytes(piece.data(), static_cast<int>(piece.size()));
    }
    return came;
  }
  bool Soon(const std::function<bool()>& is_so) {
    const int64_t until_ms = runtime_.clock.MonotonicMs() + 60'000;
    const auto waiter = runtime_.threads.NewWaiter();
    const a4c::Waiter::Lock lock(*waiter);
    while (!is_so() && runtime_.clock.MonotonicMs() < until_ms) {
      waiter->Wait(runtime_.clock.MonotonicMs() + 10);
    }
    return is_so();
  }
  bool IsClosedSoon() {
    return Soon([this] { return gone_.load(); });
  }
  double AnswersBytes() const { return metrics_.GaugeOf("a4c_http_slow_answers_bytes"); }
  int64_t InMs(int64_t ms) { return runtime_.clock.MonotonicMs() + ms; }

  a4c::testing::RecordingMetrics metrics_;
  const a4c::Runtime runtime_ = a4c::SystemRuntime(a4c::NullLogSink(), metrics_);
  std::atomic<bool> gone_ = false;
  net::ServerSocket listening_{net::SocketAddress("127.0.0.1", 0)};
  std::vector<net::StreamSocket> readers_;
  std::unique_ptr<StreamHub> hub_;
};

// Its place was taken until TCP gave up.
TEST_F(StreamHubTest, AnEndedStreamWhoseReaderTakesNothingIsClosed) {
  Open({.buffer_bytes_max = 1'000, .stall_ms = 100, .period_ms = 10});
  hub_->Add(Unread(), "head", std::make_unique<Whole>(std::string(kMuch, 'x'), gone_));
  EXPECT_TRUE(IsClosedSoon());
}

TEST_F(StreamHubTest, SoIsOneWithLittleLeft) {
  Open({.buffer_bytes_max = 2 * kMuch, .stall_ms = 100, .period_ms = 10});
  hub_->Add(Unread(), "head", std::make_unique<Whole>(std::string(kMuch, 'x'), gone_));
  EXPECT_TRUE(IsClosedSoon());
}

TEST_F(StreamHubTest, AnAnswerComesWholeAndThenTheEnd) {
  Open({.period_ms = 10});
  hub_->Finish("a", Unread(), std::string(kMuch, 'x'), InMs(600'000));
  EXPECT_EQ(ReadToTheEnd(readers_[0]), kMuch);
}

// As nc -N does after its request.
TEST_F(StreamHubTest, SoItDoesToAClientThatHasEndedItsDirection) {
  Open({.period_ms = 10});
  {
    const net::StreamSocket socket = Unread();
    readers_[0].shutdownSend();
    hub_->Finish("a", socket, std::string(kMuch, 'x'), InMs(600'000));
  }
  EXPECT_EQ(hub_->AwaitAnswers(InMs(50)), 1);
  EXPECT_EQ(ReadToTheEnd(readers_[0]), kMuch);
  EXPECT_EQ(hub_->AwaitAnswers(InMs(600'000)), 0);
}

TEST_F(StreamHubTest, OnceItIsClosedEverythingIs) {
  Open({.period_ms = 10});
  hub_->Add(Unread(), "head", std::make_unique<Whole>(std::string(kMuch, 'x'), gone_));
  hub_->Close();
  EXPECT_TRUE(gone_);
  hub_->Finish("a", Unread(), "x", InMs(600'000));
  EXPECT_EQ(ReadToTheEnd(readers_[1]), 0u);
}

TEST_F(StreamHubTest, AnAnswerHasItsTime) {
  Open({.stall_ms = 600'000, .period_ms = 10});
  hub_->Finish("a", Unread(), std::string(kMuch, 'x'), InMs(100));
  EXPECT_TRUE(Soon([this] { return metrics_.CountOf("a4c_http_streams_dropped_total") == 1; }));
  EXPECT_TRUE(Soon([this] { return AnswersBytes() == 0; }));
}

// What one tenant leaves lying cut off the answers of all others.
TEST_F(StreamHubTest, TheAnswersOfATenantLeaveRoomForThoseOfOthers) {
  Open({.answers_bytes_max = 4 * kMuch, .stall_ms = 600'000, .period_ms = 10});
  hub_->Finish("a", Unread(), std::string(kMuch, 'x'), InMs(600'000));
  EXPECT_EQ(AnswersBytes(), static_cast<double>(kMuch));
  hub_->Finish("a", Unread(), "x", InMs(600'000));
  char none = 0;
  EXPECT_EQ(readers_[1].receiveBytes(&none, 1), 0) << "it was cut off";
  hub_->Finish("b", Unread(), "x", InMs(600'000));
  EXPECT_EQ(readers_[2].receiveBytes(&none, 1), 1);
}

TEST_F(StreamHubTest, AnswersAreBoundedTogether) {
  Open({.answers_bytes_max = 4 * kMuch + 1, .stall_ms = 600'000, .period_ms = 10});
  for (const char* tenant : {"a", "b", "c", "d"}) {
    hub_->Finish(tenant, Unread(), std::string(kMuch, 'x'), InMs(600'000));
  }
  hub_->Finish("e", Unread(), "x", InMs(600'000));
  char none = 0;
  EXPECT_EQ(readers_[4].receiveBytes(&none, 1), 0);
}

// Their sockets cost more than they say.
TEST_F(StreamHubTest, SmallAnswersCountForMore) {
  Open({.answers_bytes_max = (256 << 10) - 1});
  hub_->Finish("a", Unread(), "x", InMs(600'000));
  char none = 0;
  EXPECT_EQ(readers_[0].receiveBytes(&none, 1), 0);
}

}  // namespace
}  // namespace a4cd
