// What sessions and the watch over standbys do where nothing answers, and where threads are short.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <system_error>

#include "session/postgres_connector.h"
#include "session/postgres_pool.h"
#include "session/postgres_standby_watch.h"
#include "tests/support/fake_clock.h"
#include "tests/support/silent_names.h"
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
  explicit SilentServer(const char* at = "127.0.0.1", const std::string& port = "0")
      : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = inet_addr(at);
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(port)));
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

 protected:
  const int socket_;

 private:
  std::string port_;
};

// A message of the protocol: its type, its length, what it holds.
std::string Message(char type, const std::string& content) {
  const uint32_t length = htonl(static_cast<uint32_t>(content.size() + 4));
  return type + std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + content;
}

std::string Parameter(const std::string& name, const std::string& value) {
  return Message('S', name + '\0' + value + '\0');
}

// Lets everybody in, a primary or a standby, and hangs up at what they say then.
class WelcomingServer : public SilentServer {
 public:
  WelcomingServer(const char* at, const std::string& port, bool is_standby = false)
      : SilentServer(at, port), is_standby_(is_standby) {
    serving_ = TheRuntime().threads.Start("welcome", [this](const std::stop_token&) { Serve(); });
  }
  ~WelcomingServer() { shutdown(socket_, SHUT_RDWR); }
  int welcomed() const { return welcomed_; }

 private:
  void Serve() {
    const std::string welcome =
        Message('R', std::string(4, '\0')) + Parameter("server_version", "15.0") +
        Parameter("in_hot_standby", is_standby_ ? "on" : "off") +
        Parameter("default_transaction_read_only", "off") + Message('Z', "I");
    for (int client = Accept(); client >= 0; client = Accept()) {
      char heard[4096];
      if (recv(client, heard, sizeof(heard), 0) > 0) {
        ++welcomed_;
        send(client, welcome.data(), welcome.size(), MSG_NOSIGNAL);
        recv(client, heard, sizeof(heard), 0);
      }
      close(client);
    }
  }
  int Accept() const { return accept(socket_, nullptr, nullptr); }

  const bool is_standby_;
  std::atomic<int> welcomed_{0};
  std::unique_ptr<Thread> serving_;  // ends before what it uses
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

// A name with two addresses or more, at each of which there may be a server, on one port.
class PostgresAddresses : public PostgresPool {
 protected:
  PostgresAddresses() {
    options_ = OptionsFor("host=db.known.test port=" + port() +
                          " dbname=a4c user=a4c sslmode=disable gssencmode=disable");
  }
  const std::string& port() const { return silent_.port(); }
  // What comes of asking for a session: no server here is one to the end.
  Error ErrorWithin(int64_t timeout_ms, std::vector<std::string> addresses) {
    const testing::KnownName name("db.known.test", std::move(addresses));
    const auto pool = NewPool(TheRuntime().threads);
    const auto session = pool->Take(Within(timeout_ms));
    EXPECT_FALSE(session);
    return session ? Error(Code::kInternal, "a session") : session.error();
  }

  const SilentServer silent_{"127.0.0.1"};
};

TEST_F(PostgresAddresses, ASilentOneDoesNotHideTheNextFromLibpqNorFromPoco) {
  const WelcomingServer server("127.0.0.2", port());
  const Error error = ErrorWithin(2000, {"127.0.0.1", "127.0.0.2"});
  EXPECT_EQ(server.welcomed(), 2) << error.ToString();
  EXPECT_NE(error.message().find("setting up a session to db.known.test:"), std::string::npos)
      << error.ToString() << ": the name is still known, for certificates";
  EXPECT_EQ(error.code(), Code::kUnavailable) << "there was time left";
}

TEST_F(PostgresAddresses, OneWhereNobodyListensDoesNotHideTheNext) {
  const WelcomingServer server("127.0.0.2", port());
  const Error error = ErrorWithin(60'000, {"127.0.0.3", "127.0.0.2"});
  EXPECT_EQ(server.welcomed(), 2) << error.ToString();
}

TEST_F(PostgresAddresses, AllThatAreSilentHoldACallNoLongerThanItsDeadline) {
  const SilentServer other("127.0.0.2", port());
  const int64_t began_ms = TheRuntime().clock.MonotonicMs();
  const Error error = ErrorWithin(200, {"127.0.0.1", "127.0.0.2"});
  EXPECT_LT(TheRuntime().clock.MonotonicMs() - began_ms, 1200);
  EXPECT_EQ(error.code(), Code::kTimeout) << error.ToString();
  for (const char* address : {"127.0.0.1", "127.0.0.2"}) {
    EXPECT_NE(error.message().find(port() + " (" + address + ") did not answer in time"),
              std::string::npos)
        << error.ToString();
  }
}

TEST_F(PostgresAddresses, WhereAServerAnswersItsWordCounts) {
  const WelcomingServer standby("127.0.0.2", port(), true);
  const WelcomingServer primary("127.0.0.3", port());
  const Error error = ErrorWithin(60'000, {"127.0.0.2", "127.0.0.3"});
  EXPECT_EQ(standby.welcomed(), 1) << error.ToString();
  EXPECT_EQ(primary.welcomed(), 0) << "a name is one server";
  EXPECT_NE(error.message().find("read-only"), std::string::npos) << error.ToString();
}

TEST_F(PostgresAddresses, AnAddressThatIsGivenIsNotLookedFor) {
  const WelcomingServer server("127.0.0.2", port());
  options_ = OptionsFor("host=db.known.test hostaddr=127.0.0.2 port=" + port() +
                        " dbname=a4c user=a4c sslmode=disable gssencmode=disable");
  const Error error = ErrorWithin(60'000, {"127.0.0.1"});
  EXPECT_EQ(server.welcomed(), 2) << error.ToString();
}

TEST_F(PostgresAddresses, NameServersThatAreSilentHoldACallNoLongerThanItsDeadline) {
  const testing::SilentNames silent;
  options_ = OptionsFor("host=db.silent.test dbname=a4c user=a4c");
  const Error error = ErrorWithin(100, {});
  EXPECT_EQ(error.code(), Code::kTimeout) << error.ToString();
  EXPECT_NE(error.message().find("db.silent.test was not resolved"), std::string::npos)
      << error.ToString();
  EXPECT_NE(error.hint().find("/etc/resolv.conf"), std::string::npos) << error.ToString();
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
