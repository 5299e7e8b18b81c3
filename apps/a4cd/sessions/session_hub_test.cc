#include "apps/a4cd/sessions/session_hub.h"

#include <gtest/gtest.h>

#include <system_error>

#include "a4c/sinks.h"

namespace a4cd {
namespace {

// A process that is at its limit of threads.
class NoThreads final : public a4c::Threads {
 public:
  explicit NoThreads(a4c::Threads& real) : real_(real) {}
  std::unique_ptr<a4c::Thread> Start(const std::string&,
                                     std::function<void(std::stop_token)>) override {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
  std::unique_ptr<a4c::Waiter> NewWaiter() override { return real_.NewWaiter(); }

 private:
  a4c::Threads& real_;
};

TEST(SessionHub, ASessionThatGetsNoThreadIsNotThereWhenTheProcessDrains) {
  const a4c::Runtime real = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  NoThreads threads(real.threads);
  const auto hub = NewSessionHub({real.clock, real.random, threads, real.log, real.metrics});
  EXPECT_THROW(hub->Start(Poco::Net::StreamSocket(), "", nullptr), std::system_error);
  hub->End();
}

}  // namespace
}  // namespace a4cd
