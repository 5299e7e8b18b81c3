// SSH sessions and their channels, against a real sshd.
#include <poll.h>

#include "ssh/ssh_session.h"
#include "tests/server_fixture.h"
#include "tests/support/cutting_proxy.h"

namespace a4c::baremetal {
namespace {

constexpr int kAnswers = 40'000;
constexpr int kLooks = 64;  // so that the last one before a wait falls about when the answer comes
constexpr int kStalledMs = 5'000;

// Waits for it after so many looks. False: nothing shows it, and nothing else will come that could.
Result<bool> SeesOneByte(ByteChannel& channel, int looks) {
  char byte = 0;
  for (int looked = 1;; ++looked) {
    A4C_TRY(const std::optional<size_t> count, channel.ReadNow(&byte, 1));
    if (count) return *count == 1;
    if (looked < looks) continue;
    A4C_TRY(const StreamWait wait, channel.WaitFor(TestRuntime().clock, true, false));
    if (wait.until_ms <= TestRuntime().clock.MonotonicMs()) continue;
    pollfd entry{wait.fd, wait.events, 0};
    if (poll(&entry, 1, kStalledMs) == 0) return false;
  }
}

class SshServer : public ServerTest {};

// It may come between the look for output and the one for errors.
TEST_F(SshServer, AnAnswerIsSeenWithoutAnotherPacketBehindIt) {
  SshTarget target = Target(0);
  target.keepalive_interval_ms = 0;
  const auto session = ConnectSsh(Soon(), target);
  ASSERT_TRUE(session) << session.error().ToString();
  const auto echo = (*session)->OpenCommand(Soon(), "cat");
  ASSERT_TRUE(echo) << echo.error().ToString();
  for (int i = 0; i < kAnswers; ++i) {
    ASSERT_TRUE((*echo)->Write(Soon(), "x"));
    const auto seen = SeesOneByte(**echo, i % kLooks);
    ASSERT_TRUE(seen) << seen.error().ToString();
    ASSERT_TRUE(*seen) << "answer " << i;
  }
}

// Wherever the server falls silent. LeakSanitizer looks at the end of the program.
TEST_F(SshServer, OfAKeyExchangeThatIsGivenUpNothingIsLeftInMemory) {
  SshTarget target = Target(0);
  a4c::testing::CuttingProxy proxy(TestRuntime().threads, target.address, target.port);
  target.address = "127.0.0.1";
  target.port = proxy.port();
  Result<void> connected = Error(Code::kUnavailable, "not yet");
  for (int64_t bytes = 0; !connected; bytes += 50) {
    ASSERT_LT(bytes, 20'000) << connected.error().ToString();
    proxy.StallAfter(bytes);
    const auto session = ConnectSsh(Call::Within(TestRuntime().clock, 100), target);
    connected = session ? Result<void>() : session.error();
  }
}

}  // namespace
}  // namespace a4c::baremetal
