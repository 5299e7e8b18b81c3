#include "apps/a4cd/api/stream_hub.h"

#include <Poco/Net/ServerSocket.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "a4c/sinks.h"

namespace a4cd {
namespace {

namespace net = Poco::Net;

// All that there is, at once.
class Whole final : public StreamSource {
 public:
  explicit Whole(std::string bytes) : bytes_(std::move(bytes)) {}
  a4c::Result<Piece> Next(const a4c::Call&) override {
    return Piece{.bytes = std::move(bytes_), .last = true};
  }

 private:
  std::string bytes_;
};

class StreamHubTest : public ::testing::Test {
 protected:
  static constexpr size_t kMuch = 32 << 20;

  void Open(const StreamHubOptions& options) { hub_ = NewStreamHub(runtime_, options); }
  // One whose other end nobody reads.
  net::StreamSocket Unread() {
    readers_.emplace_back(listening_.address());
    return listening_.acceptConnection();
  }
  bool HasRoomSoon() {
    const int64_t until_ms = runtime_.clock.MonotonicMs() + 60'000;
    const auto waiter = runtime_.threads.NewWaiter();
    const a4c::Waiter::Lock lock(*waiter);
    while (!hub_->HasRoom() && runtime_.clock.MonotonicMs() < until_ms) {
      waiter->Wait(runtime_.clock.MonotonicMs() + 10);
    }
    return hub_->HasRoom();
  }
  int64_t InMs(int64_t ms) { return runtime_.clock.MonotonicMs() + ms; }

  const a4c::Runtime runtime_ = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  net::ServerSocket listening_{net::SocketAddress("127.0.0.1", 0)};
  std::vector<net::StreamSocket> readers_;
  std::unique_ptr<StreamHub> hub_;
};

// Its place was taken until TCP gave up.
TEST_F(StreamHubTest, AnEndedStreamWhoseReaderTakesNothingIsClosed) {
  Open({.streams_max = 1, .buffer_bytes_max = 1'000, .stall_ms = 100, .period_ms = 10});
  hub_->Add(Unread(), "head", std::make_unique<Whole>(std::string(kMuch, 'x')));
  EXPECT_TRUE(HasRoomSoon());
}

TEST_F(StreamHubTest, SoIsOneWithLittleLeft) {
  Open({.streams_max = 1, .buffer_bytes_max = 2 * kMuch, .stall_ms = 100, .period_ms = 10});
  hub_->Add(Unread(), "head", std::make_unique<Whole>(std::string(kMuch, 'x')));
  EXPECT_TRUE(HasRoomSoon());
}

TEST_F(StreamHubTest, AnAnswerComesWholeAndThenTheEnd) {
  Open({.period_ms = 10});
  hub_->Finish(Unread(), std::string(kMuch, 'x'), InMs(600'000));
  std::string piece(1 << 20, '\0');
  size_t came = 0;
  for (int got = 1; got > 0; came += static_cast<size_t>(std::max(got, 0))) {
    got = readers_[0].receiveBytes(piece.data(), static_cast<int>(piece.size()));
  }
  EXPECT_EQ(came, kMuch);
}

TEST_F(StreamHubTest, AnAnswerHasItsTime) {
  Open({.streams_max = 1, .stall_ms = 600'000, .period_ms = 10});
  hub_->Finish(Unread(), std::string(kMuch, 'x'), InMs(100));
  EXPECT_TRUE(HasRoomSoon());
}

TEST_F(StreamHubTest, AnswersAreBoundedTogether) {
  Open({.streams_max = 2, .answers_bytes_max = kMuch + 1, .stall_ms = 600'000, .period_ms = 10});
  hub_->Finish(Unread(), std::string(kMuch, 'x'), InMs(600'000));
  hub_->Finish(Unread(), "xx", InMs(600'000));
  EXPECT_TRUE(hub_->HasRoom()) << "the second one was cut off";
  char none = 0;
  EXPECT_EQ(readers_[1].receiveBytes(&none, 1), 0);
  hub_->Finish(Unread(), "x", InMs(600'000));
  EXPECT_EQ(readers_[2].receiveBytes(&none, 1), 1);
}

}  // namespace
}  // namespace a4cd
