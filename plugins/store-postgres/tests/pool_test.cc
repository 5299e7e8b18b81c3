// What sessions and the watch over standbys do where nothing answers, and where threads are short.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <new>
#include <system_error>

#include "session/postgres_connector.h"
#include "session/postgres_pool.h"
#include "session/postgres_standby_watch.h"
#include "tests/support/fake_clock.h"
#include "tests/test_server.h"

namespace a4c::postgres {
namespace {

Options OptionsFor(const std::string& dsn) {
  return *ReadOptions(*CheckConfig(ConfigValue::Map({{"dsn", ConfigValue::Scalar(dsn)}}), kKeys));
}

// Starts none, for this reason.
template <typename Reason>
class NoThreads final : public Threads {
 public:
  explicit NoThreads(Reason reason) : reason_(std::move(reason)) {}
  std::unique_ptr<Thread> Start(const std::string&, std::function<void(std::stop_token)>) override {
    ++asked;
    throw reason_;
  }
  std::unique_ptr<Waiter> NewWaiter() override { return TheRuntime().threads.NewWaiter(); }

  int asked = 0;

 private:
  const Reason reason_;
};

class PostgresPool : public ::testing::Test {
 protected:
  PostgresPool() { options_.sessions_max = 1; }

  std::unique_ptr<SessionPool> NewPool(Threads& threads) {
    const Runtime& system = TheRuntime();
    const Runtime runtime{system.clock, system.random, threads, system.log, system.metrics};
    connector_.emplace(Connector::Wanted::kPrimary, options_.conninfos, options_, timeline_seen_,
                       runtime);
    return NewSessionPool(*connector_, options_, runtime);
  }

  // Two servers that are not there.
  Options options_ = OptionsFor("host=/nowhere/1,/nowhere/2 dbname=a4c user=a4c");
  std::atomic<int64_t> timeline_seen_{0};
  std::optional<Connector> connector_;
};

TEST_F(PostgresPool, AServerForWhichNoThreadStartsIsOneThatDidNotAnswer) {
  NoThreads threads(
      std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again)));
  const auto pool = NewPool(threads);
  for (int asked = 2; asked <= 4; asked += 2) {
    const auto session = pool->Take(Within(1000));
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code(), Code::kUnavailable) << session.error().ToString();
    EXPECT_EQ(threads.asked, asked);
  }
}

TEST_F(PostgresPool, WhoeverIsThrownOutGivesItsTurnBack) {
  NoThreads threads{std::bad_alloc()};
  const auto pool = NewPool(threads);
  EXPECT_THROW((void)pool->Take(Within(1000)), std::bad_alloc);
  EXPECT_THROW((void)pool->Take(Within(1000)), std::bad_alloc);
}

// Accepts connections, as its kernel does for a server that hangs, and never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 100), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = std::to_string(ntohs(address.sin_port));
  }
  ~SilentServer() { close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  const std::string& port() const { return port_; }

 private:
  const int socket_;
  std::string port_;
};

class PostgresSilence : public PostgresPool {
 protected:
  PostgresSilence() {
    options_ = OptionsFor("host=127.0.0.1,127.0.0.1 port=" + one_.port() + "," + other_.port() +
                          " dbname=a4c user=a4c");
  }
  static int64_t NowMs() { return TheRuntime().clock.MonotonicMs(); }

  const SilentServer one_;
  const SilentServer other_;
};

TEST_F(PostgresSilence, ServersThatAreSilentHoldACallNoLongerThanItsDeadline) {
  const auto pool = NewPool(TheRuntime().threads);
  const int64_t began_ms = NowMs();
  const auto session = pool->Take(Within(500));
  EXPECT_LT(NowMs() - began_ms, 1500);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), Code::kTimeout) << session.error().ToString();
  for (const SilentServer* server : {&one_, &other_}) {
    EXPECT_NE(session.error().message().find(server->port()), std::string::npos)
        << session.error().ToString() << ": names all that were tried";
  }
}

TEST_F(PostgresSilence, ACallThatIsAskedToStopLeavesThem) {
  const auto pool = NewPool(TheRuntime().threads);
  std::stop_source stop;
  const int64_t began_ms = NowMs();
  const auto stopping = TheRuntime().threads.Start("stopping", [&](const std::stop_token&) {
    const auto waiter = TheRuntime().threads.NewWaiter();
    const Waiter::Lock lock(*waiter);
    waiter->Wait(began_ms + 100);
    stop.request_stop();
  });
  const auto session = pool->Take(Call::Within(TheRuntime().clock, 60'000, stop.get_token()));
  EXPECT_LT(NowMs() - began_ms, 1500);
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code(), Code::kCanceled) << session.error().ToString();
}

class ThrowingPool final : public SessionPool {
 public:
  Result<Lease> Take(const Call&) override {
    ++taken;
    throw std::bad_alloc();
  }
  bool IsGood(const Session&) const override { return true; }
  void LookAround(const Call&) override {}

  int taken = 0;

 protected:
  void GiveBack(std::unique_ptr<Session>) override {}
  void Discard(std::unique_ptr<Session>) override {}
};

// Otherwise writes would be refused until a restart.
TEST(PostgresStandbyWatch, AProbeThatIsThrownOutIsFollowedByAnother) {
  testing::FakeRuntime fake;
  const Options options = OptionsFor("host=/nowhere dbname=a4c user=a4c");
  StandbyWatch watch(options, fake.runtime());
  watch.Unanswered(fake.clock().MonotonicMs() - options.commit_timeout_ms);
  ThrowingPool pool;
  for (int probes = 1; probes <= 2; ++probes) {
    EXPECT_THROW((void)watch.Admit(fake.Within(60'000), pool), std::bad_alloc);
    EXPECT_EQ(pool.taken, probes);
    const Result<void> meanwhile = watch.Admit(fake.Within(60'000), pool);
    EXPECT_EQ(meanwhile.error().code(), Code::kUnavailable);
    fake.clock().Advance(1000);
  }
}

}  // namespace
}  // namespace a4c::postgres
