#include "apps/a4cd/api/stream_hub.h"

#include <Poco/Net/ServerSocket.h>
#include <gtest/gtest.h>

#include <utility>

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

// Its place was taken until TCP gave up.
TEST(StreamHub, AnEndedStreamWhoseReaderTakesNothingIsClosed) {
  const a4c::Runtime runtime = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  const auto hub = NewStreamHub(
      runtime, {.streams_max = 1, .buffer_bytes_max = 1'000, .stall_ms = 100, .period_ms = 10});
  net::ServerSocket listening(net::SocketAddress("127.0.0.1", 0));
  const net::StreamSocket reader(listening.address());
  hub->Add(listening.acceptConnection(), "head",
           std::make_unique<Whole>(std::string(32 << 20, 'x')));
  const int64_t until_ms = runtime.clock.MonotonicMs() + 60'000;
  const auto waiter = runtime.threads.NewWaiter();
  while (!hub->HasRoom() && runtime.clock.MonotonicMs() < until_ms) {
    const a4c::Waiter::Lock lock(*waiter);
    waiter->Wait(runtime.clock.MonotonicMs() + 10);
  }
  EXPECT_TRUE(hub->HasRoom());
}

}  // namespace
}  // namespace a4cd
