#include "elastic_http.h"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <new>

#include "a4c/sinks.h"
#include "tests/support/fake_clock.h"
#include "tests/support/silent_names.h"

namespace a4c::elastic {
namespace {

const Runtime& TheRuntime() {
  static const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  return runtime;
}

Call Within(int64_t timeout_ms = 20'000) {
  return Call::Within(TheRuntime().clock, timeout_ms);
}

// A node that reads requests and sends back bytes, connection by connection: the script says what
// to answer to the n-th request of the n-th connection; "" closes without a word, "-" keeps silent.
class Node {
 public:
  using Script = std::function<std::string(int connection, int request)>;

  explicit Node(Script script)
      : script_(std::move(script)), listener_(Poco::Net::SocketAddress("127.0.0.1", 0)) {
    thread_ =
        TheRuntime().threads.Start("node", [this](const std::stop_token& stop) { Run(stop); });
  }
  std::string Url() const {
    return "http://127.0.0.1:" + std::to_string(listener_.address().port());
  }
  std::vector<std::string> Heads() {
    const std::scoped_lock lock(mutex_);
    return heads_;
  }

 private:
  void Run(const std::stop_token& stop) {
    for (int connection = 1; !stop.stop_requested();) {
      if (!listener_.poll(Poco::Timespan(0, 20'000), Poco::Net::Socket::SELECT_READ)) continue;
      Poco::Net::StreamSocket socket = listener_.acceptConnection();
      try {
        Serve(socket, connection++, stop);
      } catch (const Poco::Exception&) {
        // The client hung up amid an answer: so it does in some of the tests.
      }
    }
  }

  void Serve(Poco::Net::StreamSocket& socket, int connection, const std::stop_token& stop) {
    for (int request = 1;; ++request) {
      if (!ReadRequest(socket, stop)) return;
      const std::string answer = script_(connection, request);
      if (answer.empty()) return;
      if (answer != "-") socket.sendBytes(answer.data(), static_cast<int>(answer.size()));
    }
  }

  bool ReadRequest(Poco::Net::StreamSocket& socket, const std::stop_token& stop) {
    std::string text;
    while (!stop.stop_requested()) {
      if (!socket.poll(Poco::Timespan(0, 20'000), Poco::Net::Socket::SELECT_READ)) continue;
      char bytes[4096];
      const int got = socket.receiveBytes(bytes, sizeof(bytes));
      if (got <= 0) return false;
      text.append(bytes, static_cast<size_t>(got));
      if (!text.ends_with("END")) continue;
      const std::scoped_lock lock(mutex_);
      heads_.push_back(text);
      return true;
    }
    return false;
  }

  const Script script_;
  Poco::Net::ServerSocket listener_;
  std::mutex mutex_;
  std::vector<std::string> heads_;
  std::unique_ptr<Thread> thread_;  // last: it uses the rest
};

std::string Ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string ClosedPort() {
  const Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
  return "http://127.0.0.1:" + std::to_string(socket.address().port());
}

std::unique_ptr<HttpPool> PoolOf(std::vector<std::string> urls, HttpOptions options = {},
                                 const Runtime& runtime = TheRuntime()) {
  options.urls = std::move(urls);
  auto pool = NewHttpPool(options, runtime);
  EXPECT_TRUE(pool) << pool.error().ToString();
  return *std::move(pool);
}

HttpRequest Write() {
  return {.method = "POST", .path = "/_bulk", .body = "{}\nEND", .effect = Effect::kWrites};
}
HttpRequest Read() {
  return {.method = "POST", .path = "/x/_search", .body = "END"};
}

// Out of memory, for example.
TEST(ElasticHttp, WhatIsThrownTakesNoConnectionAway) {
  bool throws = true;
  Node node([](int, int) { return Ok("{}"); });
  const HttpOptions options{.urls = {node.Url()}, .connections_max = 2};
  const auto factory = NewSessionFactory(options);
  ASSERT_TRUE(factory);
  const auto pool = NewHttpPool(options, TheRuntime(), [&](const std::string& url) {
    if (throws) throw std::bad_alloc();
    return (*factory)(url);
  });
  for (int i = 0; i < 3; ++i) EXPECT_THROW((void)pool->Send(Within(1'000), Read()), std::bad_alloc);
  throws = false;
  const auto answer = pool->Send(Within(1'000), Read());
  EXPECT_TRUE(answer) << answer.error().ToString();
}

TEST(ElasticHttp, ConnectionsAreKept) {
  Node node([](int connection, int) { return Ok(std::to_string(connection)); });
  const auto pool = PoolOf({node.Url()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pool->Send(Within(), Read())->body, "1");
}

TEST(ElasticHttp, ANameIsResolvedAndStillNamedToTheServer) {
  Node node([](int, int) { return Ok("{}"); });
  const std::string port = node.Url().substr(node.Url().rfind(':'));
  ASSERT_TRUE(PoolOf({"http://localhost" + port})->Send(Within(), Read()));
  EXPECT_THAT(node.Heads().at(0), ::testing::HasSubstr("Host: localhost" + port + "\r\n"));
}

TEST(ElasticHttp, NameServersThatAreSilentTakeNoLongerThanConnecting) {
  const testing::SilentNames silent;
  Node node([](int, int) { return Ok("{}"); });
  const HttpOptions quick{.connect_timeout_ms = 20};
  const auto alone = PoolOf({"http://es.silent.test:9200"}, quick);
  const auto answer = alone->Send(Within(), Read());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::kTimeout);
  EXPECT_THAT(answer.error().hint(), ::testing::HasSubstr("/etc/resolv.conf"));
  EXPECT_EQ(alone->Send(Within(), Write()).error().code(), Code::kTimeout) << "nothing was sent";
  const auto another = PoolOf({"http://es.silent.test:9200", node.Url()}, quick);
  EXPECT_TRUE(another->Send(Within(), Read()));
}

TEST(ElasticHttp, BothWaysOfAuthenticationAndContentTypesAreSent) {
  Node node([](int, int) { return Ok("{}"); });
  const auto basic = PoolOf(
      {node.Url()}, {.username = "user",
                     .password = "secret:word that is long enough to be wrapped at seventy-two"});
  ASSERT_TRUE(basic->Send(Within(), Write()));
  EXPECT_THAT(
      node.Heads().at(0),
      ::testing::HasSubstr("Authorization: Basic "
                           "dXNlcjpzZWNyZXQ6d29yZCB0aGF0IGlzIGxvbmcgZW5vdWdoIHRvIGJlIHdyYXBwZ"
                           "WQgYXQgc2V2ZW50eS10d28=\r\n"));
  EXPECT_THAT(node.Heads().at(0), ::testing::HasSubstr("Content-Type: application/x-ndjson"));
}

TEST(ElasticHttp, AnApiKeyIsSent) {
  Node node([](int, int) { return Ok("{}"); });
  const auto pool = PoolOf({node.Url()}, {.api_key = "abc="});
  ASSERT_TRUE(pool->Send(Within(), Read()));
  EXPECT_THAT(node.Heads().at(0), ::testing::HasSubstr("Authorization: ApiKey abc=\r\n"));
}

TEST(ElasticHttp, AKeptConnectionThatTheServerClosedIsReplaced) {
  Node node([](int connection, int request) {
    return connection == 1 && request == 2 ? "" : Ok("here");
  });
  const auto pool = PoolOf({node.Url()});
  for (int i = 0; i < 3; ++i) {
    const auto answer = pool->Send(Within(), Write());
    ASSERT_TRUE(answer) << answer.error().ToString();
    EXPECT_EQ(answer->body, "here");
  }
}

TEST(ElasticHttp, ANodeThatIsDownIsPassedOver) {
  Node node([](int, int) { return Ok("up"); });
  const auto pool = PoolOf({ClosedPort(), node.Url(), ClosedPort()});
  for (int i = 0; i < 4; ++i) {
    const auto answer = pool->Send(Within(), Write());
    ASSERT_TRUE(answer) << answer.error().ToString();
    EXPECT_EQ(answer->body, "up");
  }
}

TEST(ElasticHttp, AnotherNodeIsAskedWhenAnAnswerIsLost) {
  Node dies([](int, int) { return ""; });
  Node breaks_off([](int, int) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal"; });
  Node lives([](int, int) { return Ok("alive"); });
  const auto pool = PoolOf({dies.Url(), lives.Url()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pool->Send(Within(), Write())->body, "alive");
}

TEST(ElasticHttp, AllDownIsUnavailableAndALostAnswerOfAWriteIsUnknown) {
  const auto down = PoolOf({ClosedPort(), ClosedPort()});
  EXPECT_EQ(down->Send(Within(), Write()).error().code(), Code::kUnavailable);
  Node dies([](int, int) { return ""; });
  const auto pool = PoolOf({dies.Url()});
  EXPECT_EQ(pool->Send(Within(), Write()).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(pool->Send(Within(), Read()).error().code(), Code::kUnavailable);
}

TEST(ElasticHttp, ASilentServerCostsNoMoreThanTheDeadline) {
  Node silent([](int, int) { return "-"; });
  const auto pool = PoolOf({silent.Url()});
  EXPECT_EQ(pool->Send(Within(200), Write()).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(pool->Send(Within(200), Read()).error().code(), Code::kTimeout);
  const auto impatient = PoolOf({silent.Url()}, {.request_timeout_ms = 200});
  EXPECT_EQ(impatient->Send(Within(), Read()).error().code(), Code::kTimeout);
}

// As one that was stopped (SIGSTOP): the kernel still accepts connections, and nobody reads them.
TEST(ElasticHttp, AReadThatANodeIsSilentToIsAnsweredByAnotherWithinItsDeadline) {
  Node silent([](int, int) { return "-"; });
  Node node([](int, int) { return Ok("up"); });
  const auto pool = PoolOf({silent.Url(), node.Url()});
  const auto answer = pool->Send(Within(4'000), Read());
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->body, "up");
  EXPECT_EQ(silent.Heads().size(), 1U);
}

TEST(ElasticHttp, ANodeThatWasSilentIsTriedByOneReadAtATimeAndByNoWrite) {
  Node silent([](int connection, int) { return connection == 1 ? "-" : Ok("again"); });
  Node node([](int, int) { return Ok("up"); });
  testing::FakeClock clock;
  Runtime runtime = TheRuntime();
  const Runtime faked{clock, runtime.random, runtime.threads, runtime.log, runtime.metrics};
  const auto pool = PoolOf({silent.Url(), node.Url()}, {.request_timeout_ms = 300}, faked);
  const auto bodies = [&](const HttpRequest& request) {
    std::string all;
    for (int i = 0; i < 4; ++i) all += pool->Send(Within(), request)->body + " ";
    return all;
  };
  ASSERT_TRUE(pool->Send(Within(), Write())) << "it was sent to the next one";
  ASSERT_EQ(silent.Heads().size(), 1U);
  EXPECT_EQ(bodies(Write()), "up up up up ");
  EXPECT_EQ(bodies(Read()), "up up up up ");
  clock.Advance(2'000);
  EXPECT_EQ(bodies(Write()), "up up up up ");
  EXPECT_EQ(silent.Heads().size(), 1U);
  EXPECT_THAT(bodies(Read()), ::testing::HasSubstr("again"));
  EXPECT_THAT(bodies(Write()), ::testing::HasSubstr("again"));
}

TEST(ElasticHttp, AWriteThatMayHaveBeenDoneIsUnknownWhateverTheNextNodeSays) {
  Node silent([](int, int) { return "-"; });
  const auto refused = PoolOf({silent.Url(), ClosedPort()}, {.request_timeout_ms = 200});
  EXPECT_EQ(refused->Send(Within(), Write()).error().code(), Code::kUnknownOutcome);
  Node dies([](int, int) { return ""; });
  const auto lost = PoolOf({dies.Url(), ClosedPort()});
  EXPECT_EQ(lost->Send(Within(), Write()).error().code(), Code::kUnknownOutcome);
  Node busy([](int, int) { return "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"; });
  const auto put_off = PoolOf({dies.Url(), busy.Url()});
  EXPECT_EQ(put_off->Send(Within(), Write()).error().code(), Code::kUnknownOutcome);
}

TEST(ElasticHttp, AnExpiredOrStoppedCallSendsNothing) {
  Node node([](int, int) { return Ok("{}"); });
  const auto pool = PoolOf({node.Url()});
  EXPECT_EQ(pool->Send(Within(0), Write()).error().code(), Code::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  Call call = Within();
  call.stop = stop.get_token();
  EXPECT_EQ(pool->Send(call, Write()).error().code(), Code::kCanceled);
  EXPECT_TRUE(node.Heads().empty());
}

TEST(ElasticHttp, AnAnswerPastTheBoundIsExhausted) {
  Node node([](int, int) { return Ok(std::string(200'000, ' ')); });
  const auto pool = PoolOf({node.Url()}, {.response_bytes_max = 100'000});
  EXPECT_EQ(pool->Send(Within(), Read()).error().code(), Code::kExhausted);
}

TEST(ElasticHttp, PastConnectionsMaxCallsWaitAndThenAreExhausted) {
  Node silent([](int, int) { return "-"; });
  const auto pool = PoolOf({silent.Url()}, {.connections_max = 1});
  const auto holder = TheRuntime().threads.Start("holder", [&](const std::stop_token&) {
    EXPECT_EQ(pool->Send(Within(3'000), Read()).error().code(), Code::kTimeout);
  });
  const int64_t deadline_ms = TheRuntime().clock.MonotonicMs() + 2'000;
  const auto waiter = TheRuntime().threads.NewWaiter();
  while (silent.Heads().empty() && TheRuntime().clock.MonotonicMs() < deadline_ms) {
    const Waiter::Lock lock(*waiter);
    waiter->Wait(TheRuntime().clock.MonotonicMs() + 5);
  }
  EXPECT_EQ(pool->Send(Within(100), Read()).error().code(), Code::kExhausted);
}

TEST(ElasticHttp, UrlsAreChecked) {
  for (const char* url : {"", "localhost:9200", "ftp://a", "http://", "http://a/path"}) {
    EXPECT_FALSE(NewHttpPool({.urls = {url}}, TheRuntime())) << url;
  }
  EXPECT_FALSE(NewHttpPool({}, TheRuntime()));
}

TEST(ElasticHttp, AnswersThatAreNoJsonAreNoAnswers) {
  EXPECT_EQ(JsonOf({200, "<html>"}, Effect::kReads).error().code(), Code::kUnavailable);
  EXPECT_EQ(JsonOf({200, ""}, Effect::kWrites).error().code(), Code::kUnknownOutcome);
  EXPECT_EQ(JsonOf({404, "{}"}, Effect::kReads).error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace a4c::elastic
