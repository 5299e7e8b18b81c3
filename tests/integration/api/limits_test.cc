#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <array>
#include <atomic>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/support/api_fixture.h"

namespace a4cd {
namespace {

class ApiLimits : public ApiTest {
 protected:
  // What comes until the other side ends.
  static std::string Rest(Poco::Net::StreamSocket& socket) {
    socket.setReceiveTimeout(Poco::Timespan(60, 0));
    std::string all;
    std::array<char, 65536> piece{};
    for (;;) {
      const int got = socket.receiveBytes(piece.data(), static_cast<int>(piece.size()));
      if (got <= 0) return all;
      all.append(piece.data(), static_cast<size_t>(got));
    }
  }
};

// Two instances that did would share what comes, each with keys that the other does not know.
TEST_F(ApiLimits, AnotherInstanceCannotListenThereToo) {
  Poco::Net::ServerSocket other;
  const Poco::Net::SocketAddress address("127.0.0.1", static_cast<Poco::UInt16>(port_));
  EXPECT_THROW(other.bind(address, true, true), Poco::Net::NetException);
}

TEST_F(ApiLimits, RefuseHostileBodies) {
  std::string deep(40, '[');
  deep += std::string(40, ']');
  const std::string hostile[] = {"",
                                 "{",
                                 "nul",
                                 "[0.00000000000001e-2147483639]",
                                 R"({"type":"a","type":"b"})",
                                 deep,
                                 std::string(100'000, '['),
                                 std::string("{\"a\":\"\xff\"}"),
                                 R"({"type":{"a":[1,2,{}]}})",
                                 "{\"type\":1e999}",
                                 std::string("{}\0", 3)};
  for (const std::string& body : hostile) {
    const Answer answer = Post("/v1/jobs", body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 60) << ": " << answer.text;
    EXPECT_EQ(answer.Header("content-type"), "application/problem+json");
  }
  EXPECT_EQ(Get("/livez").status, 200);
}

TEST_F(ApiLimits, RefuseABodyThatIsTooLargeWhetherItSaysSoOrNot) {
  const std::string large = "{\"title\":\"" + std::string(2 << 20, 'x') + "\"}";
  EXPECT_EQ(Post("/v1/jobs", large).status, 413);
  // Announced, and never sent: the answer does not wait for it.
  const std::string head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ +
                           "\r\nContent-Type: application/json\r\n";
  EXPECT_NE(Raw(head + "Content-Length: 99999999999\r\n\r\n").find("HTTP/1.1 413"),
            std::string::npos);
  std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunked += "10000\r\n" + std::string(65536, 'x') + "\r\n";
  EXPECT_NE(Raw(chunked + "0\r\n\r\n", "\r\n\r\n").find("HTTP/1.1 413"), std::string::npos);
  EXPECT_EQ(Get("/livez").status, 200);
}

// The rest of a body must never be read as the next request, and a gateway that counts differently
// must not be believed: one answer, and the end.
TEST_F(ApiLimits, WhatFollowsABodyOfDoubtfulLengthIsNoRequest) {
  StartApp("api: {request_timeout: 1s}\n");
  const std::string next = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto head = [&](const std::string& path, const std::string& framing) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ +
           "\r\nContent-Type: application/json\r\n" + framing + "\r\n\r\n";
  };
  const std::string chunked = "Transfer-Encoding: chunked";
  for (const auto& [bytes, status] : {
           std::pair{head("/v1/jobs", chunked) + "2\r\n{}\r\n0\r\nA: b\r\nC: d\r\n\r\n" + next,
                     "400"},
           std::pair{head("/v1/jobs", chunked) + "2\r\n{}\r\nZZ\r\n" + next, "400"},
           std::pair{head("/v1/jobs", chunked) + "40\r\n{}", "408"},
           std::pair{head("/v1/jobs", "Transfer-Encoding: gzip, chunked") + "2\r\n{}\r\n" + next,
                     "501"},
           std::pair{head("/v1/jobs", chunked + "\r\nContent-Length: 2").append("{}").append(next),
                     "400"},
           std::pair{head("/v1/jobs", "Content-Length: 2\r\nContent-Length: 90") + "{}" + next,
                     "400"},
           std::pair{head("/v1/jobs:batch", "Content-Length: 90") + "{}\n\n", "200"},
       }) {
    const std::string got = Raw(bytes);
    EXPECT_EQ(got.find("HTTP/1.1 " + std::string(status)), 0u) << bytes << "\n-> " << got;
    EXPECT_EQ(got.find("HTTP/1.1 ", 1), std::string::npos) << bytes << "\n-> " << got;
  }
  const std::string broken = Raw(head("/v1/jobs:batch", "Content-Length: 90") + "{}\n");
  EXPECT_NE(broken.find("ended before it was whole"), std::string::npos) << broken;
  EXPECT_EQ(Get("/livez").status, 200);
}

TEST_F(ApiLimits, RefuseOtherMediaTypesMethodsAndPaths) {
  EXPECT_EQ(Post("/v1/jobs", "a=b", {{"Content-Type", "application/x-www-form-urlencoded"}}).status,
            415);
  const Answer method = Send("PUT", "/v1/jobs", "{}");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.Header("allow"), "POST, GET, HEAD");
  EXPECT_EQ(Get("/v2/jobs").status, 404);
  EXPECT_EQ(Get("/v1/jobs/%00").status, 404);
  EXPECT_EQ(Get("/v1/jobs?q=%ff").status, 400);
  EXPECT_EQ(Get("/v1/jobs/" + std::string(300, 'x')).status, 404);
}

TEST_F(ApiLimits, AnswerAHeadThatCannotBeReadWithAProblemToo) {
  const std::string version = " HTTP/1.1\r\nHost: x\r\n";
  std::string fields;
  for (int i = 0; i < 200; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  const std::string unreadable[] = {
      "GET /v1/jobs" + version + fields + "\r\n",
      "GET /v1/jobs?q=" + std::string(20'000, 'x') + version + "\r\n",
      "GET /v1/jobs?q=" + std::string(3 << 20, 'x') + version + "\r\n",
      "GET /v1/jobs" + version + "X-Long: " + std::string(20'000, 'x') + "\r\n\r\n",
      "GET /v1/jobs" + version + std::string(300, 'x') + ": 1\r\n\r\n",
      std::string(100, 'G') + " /v1/jobs" + version + "\r\n"};
  const std::string good = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const std::string& head : unreadable) {
    EXPECT_NE(Raw(good + head).find("application/problem+json"), std::string::npos)
        << "after another request";
    const std::string answer = Raw(head);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_NE(answer.find("Content-Type: application/problem+json"), std::string::npos) << answer;
    const auto body = a4c::ParseJson(answer.substr(answer.find("\r\n\r\n") + 4));
    ASSERT_TRUE(body) << answer;
    EXPECT_EQ((*body)["type"].Text(), "urn:a4c:problem:invalid");
    EXPECT_NE((*body)["hint"].Text().find("16384"), std::string::npos) << answer;
  }
  EXPECT_EQ(Get("/livez").status, 200);
}

// Byte after byte, each in time by itself; it held a thread of the pool for as long as it liked.
TEST_F(ApiLimits, WhatComesInDropsEndsInTime) {
  StartApp("api: {request_timeout: 1s}\n");
  const std::string to = " /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ + "\r\n";
  const std::string slow_heads[] = {"GET" + to + "X-Slow: ",
                                    "GET" + to + "\r\nGET" + to + "X-Slow: "};
  for (const std::string& head : slow_heads) {
    const std::string answer = Drip(head);
    EXPECT_NE(answer.find("HTTP/1.1 408 "), std::string::npos) << answer;
    EXPECT_NE(answer.find("the head of the request did not come in time"), std::string::npos);
  }
  const std::string answer = Drip("POST" + to + "Content-Length: 90000\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
  EXPECT_NE(answer.find("the body of the request did not come in time"), std::string::npos);
  EXPECT_EQ(Get("/livez").status, 200);
}

// They held every thread for request_timeout, probes waited behind them, and no key was needed.
TEST_F(ApiLimits, ConnectionsThatSayNothingMakeRoomForThoseThatDo) {
  StartApp("api: {threads: 2, request_timeout: 10m, keep_alive: 10m}\n");
  Poco::Net::StreamSocket silent[4];
  for (auto& socket : silent) {
    socket.connect(Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port_)));
  }
  EXPECT_EQ(Get("/livez").status, 200);
}

class ApiSlowReaders : public ApiLimits {
 protected:
  // One of each tenant asks for more than sockets hold, and takes nothing of it yet.
  void Ask() {
    std::string script;
    for (int i = 0; i < 4; ++i) script += (i > 0 ? R"(",")" : "") + std::string(100'000, 'x');
    const std::string keys[] = {key_, KeyFor("second"), KeyFor("third"), KeyFor("fourth")};
    for (int i = 0; i < 4 * kJobsOfEach; ++i) {
      ASSERT_EQ(Post("/v1/jobs",
                     R"({"type":"workspace.create","title":"t","delay":"24h",)"
                     R"("payload":{"name":"w)" +
                         std::to_string(i) + R"(","command":[")" + script + R"("]}})",
                     Bearer(keys[i % 4]))
                    .status,
                201);
    }
    for (const std::string& key : keys) {
      const std::string request =
          "GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
          "Authorization: Bearer " +
          key + "\r\n\r\n";
      Poco::Net::StreamSocket& socket = slow_.emplace_back(Poco::Net::SocketAddress::IPv4);
      socket.setReceiveBufferSize(32 << 10);
      socket.connect(Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port_)));
      socket.sendBytes(request.data(), static_cast<int>(request.size()));
    }
  }
  void ExpectWholeAnswers() {
    for (Poco::Net::StreamSocket& socket : slow_ | std::views::reverse) {
      const std::string answer = Rest(socket);
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer.substr(0, 300);
      const auto body = a4c::ParseJson(answer.substr(answer.find("\r\n\r\n") + 4));
      ASSERT_TRUE(body) << "it is to come whole: " << answer.size();
      EXPECT_EQ((*body)["items"].Items().size(), static_cast<size_t>(kJobsOfEach));
    }
  }

  static constexpr int kJobsOfEach = 20;
  std::vector<Poco::Net::StreamSocket> slow_;
};

// They held every thread for as long as they liked, and probes waited behind them. Their answers
// are no streams, and those of one tenant, for which there is room, are not counted with another's.
TEST_F(ApiSlowReaders, MakeRoomForOthers) {
  StartApp(
      "api: {threads: 2, request_timeout: 10m, streams_max: 0, slow_answers_bytes_max: 36MiB}\n");
  Ask();
  EXPECT_EQ(Get("/livez").status, 200);
  ExpectWholeAnswers();
}

// Those that left their threads first come last here: no request is under way any more.
TEST_F(ApiSlowReaders, HaveTheTimeOfADrain) {
  StartApp("api: {threads: 2, request_timeout: 10m}\ndrain: {timeout: 5m}\n");
  Ask();
  EXPECT_EQ(Get("/livez").status, 200);
  std::atomic<bool> is_drained = false;
  std::thread drain([&] {
    app_->Drain();
    is_drained = true;
  });
  while (Get("/livez").status == 200) std::this_thread::yield();
  EXPECT_FALSE(is_drained);
  const Poco::Net::SocketAddress address("127.0.0.1", static_cast<Poco::UInt16>(port_));
  EXPECT_THROW(Poco::Net::StreamSocket late(address), Poco::Net::ConnectionRefusedException)
      << "it goes to another instance";
  ExpectWholeAnswers();
  drain.join();
}

// They needed no key for it, as those that say nothing.
TEST_F(ApiLimits, ConnectionsThatAreSlowInAskingMakeRoomForOthers) {
  StartApp("api: {threads: 2, request_timeout: 10m}\n");
  Poco::Net::StreamSocket slow[4];
  const std::string some = "GET /v1/jobs HTTP/1.1\r\nX-Slow: ";
  for (auto& socket : slow) {
    socket.connect(Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port_)));
    socket.sendBytes(some.data(), static_cast<int>(some.size()));
  }
  EXPECT_EQ(Get("/livez").status, 200);
}

class ApiSlowBodies : public ApiLimits {
 protected:
  void SetUp() override { StartApp("api: {threads: 4, request_timeout: 10m}\n"); }

  // A body of which nothing comes yet.
  static std::string Head(const std::string& key, const std::string& path) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
           key + "\r\nContent-Length: 3\r\n\r\n";
  }
  Poco::Net::StreamSocket Begin(const std::string& head) const {
    Poco::Net::StreamSocket socket(
        Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port_)));
    socket.sendBytes(head.data(), static_cast<int>(head.size()));
    return socket;
  }
  // Until so many are being waited for.
  void AwaitSlow(int count) {
    const std::string line = "\na4c_http_slow_requests " + std::to_string(count) + "\n";
    int looks = 0;
    while (Get("/metrics").text.find(line) == std::string::npos && looks < 10'000) ++looks;
    EXPECT_LT(looks, 10'000) << line;
  }
};

// One key held every thread for more than an hour, for 5 kB a second each.
TEST_F(ApiSlowBodies, OfOneTenantLeaveThreadsToTheOthers) {
  Poco::Net::StreamSocket first = Begin(Head(key_, "/v1/jobs:batch"));
  AwaitSlow(1);
  const std::string refused = Raw(Head(key_, "/v1/jobs:batch"));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 429 ")) << refused;
  EXPECT_NE(refused.find("\r\nRetry-After: "), std::string::npos) << refused;
  EXPECT_NE(refused.find("api.slow_requests_per_tenant_max"), std::string::npos) << refused;
  const std::string context = Raw("PUT" + Head(key_, "/v1/jobs/none/context").substr(4));
  EXPECT_TRUE(context.starts_with("HTTP/1.1 429 ")) << context;

  const Poco::Net::StreamSocket others = Begin(Head(KeyFor("other"), "/v1/jobs:batch"));
  AwaitSlow(2);
  const std::string full = Raw(Head(KeyFor("third"), "/v1/jobs:batch"));
  EXPECT_TRUE(full.starts_with("HTTP/1.1 503 ")) << full;
  EXPECT_NE(full.find("api.slow_requests_max"), std::string::npos) << full;
  EXPECT_EQ(Get("/livez").status, 200);

  first.sendBytes("{}\n", 3);
  EXPECT_NE(Rest(first).find(R"("line":1,"status":400)"), std::string::npos);
  EXPECT_EQ(Post("/v1/jobs:batch", "{}\n").status, 200) << "there is room again";
}

TEST_F(ApiSlowBodies, CountAlsoIfTheyAreReadWhole) {
  const std::string head = Head(key_, "/v1/jobs");
  Poco::Net::StreamSocket first = Begin(head);
  AwaitSlow(1);
  std::vector<Poco::Net::StreamSocket> more;
  for (int i = 0; i < 4; ++i) more.push_back(Begin(head));
  EXPECT_EQ(Get("/livez").status, 200);
  for (Poco::Net::StreamSocket& one : more) {
    const std::string answer = Rest(one);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 429 ")) << answer;
  }
  first.sendBytes("{}\n", 3);
  EXPECT_TRUE(Rest(first).starts_with("HTTP/1.1 400 ")) << "it was let";
  AwaitSlow(0);
}

// A batch and a context are as long in coming as they are large, and no longer.
TEST_F(ApiLimits, AStreamedBodyComesAtALeastRate) {
  StartApp("api: {request_timeout: 1s}\n");
  const std::string fields = " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ + "\r\n";
  const std::string batch = "POST /v1/jobs:batch" + fields;
  const std::string answer = Drip(batch + "Content-Length: 90000\r\n\r\n");
  EXPECT_NE(answer.find("it came too slowly"), std::string::npos) << answer;
  const std::string chunked = Drip(batch + "Transfer-Encoding: chunked\r\n\r\nfff\r\n");
  EXPECT_NE(chunked.find("it came too slowly"), std::string::npos) << chunked;
  EXPECT_EQ(Get("/livez").status, 200);
}

TEST_F(ApiLimits, ABodyThatComesAtItsRateMayTakeLongerThanARequest) {
  StartApp("api: {request_timeout: 1s, body_rate_min: 1}\n");
  const std::string answer =
      Drip("POST /v1/jobs:batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ +
           "\r\nContent-Length: 100\r\n\r\n");
  EXPECT_NE(answer.find(R"("line":1,"status":400)"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("slowly"), std::string::npos) << answer;
}

// What is missing may be its If-Match.
TEST_F(ApiLimits, AHeadThatIsCutOffIsNoRequest) {
  const Answer job = Post("/v1/jobs", R"({"type":"workspace.create","title":"t","delay":"24h",)"
                                      R"("payload":{"name":"w","command":["sleep","1"]}})");
  ASSERT_EQ(job.status, 201) << job.text;
  const std::string path = "/v1/jobs/" + job.body["id"].Text();
  const std::string fields =
      " HTTP/1.1\r\nHost: x\r\nIf-Match: *\r\nAuthorization: Bearer " + key_ + "\r\n";
  const std::string cut = "POST " + path + ":cancel" + fields;
  EXPECT_EQ(RawEnded(cut), "");
  const std::string after_another = RawEnded("GET " + path + fields + "\r\n" + cut);
  EXPECT_EQ(after_another.rfind("HTTP/1.1"), 0u) << after_another;
  EXPECT_EQ(Get(path).body["state"].Text(), "pending");
}

TEST_F(ApiLimits, RefuseAQueryParameterThatNobodyReads) {
  const Answer answer = Get("/v1/jobs?state=failed");
  EXPECT_EQ(answer.status, 400) << answer.text;
  EXPECT_EQ(answer.body["detail"].Text(), "there is no query parameter state here");
  EXPECT_EQ(Get("/v1/jobs?highlight=1").status, 400);
  EXPECT_EQ(Get("/livez?from=a-probe").status, 200);
}

TEST_F(ApiLimits, AnswerHeadAsGetWithoutTheBody) {
  const Answer get = Get("/v1/jobs");
  const std::string head =
      Raw("HEAD /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
          "Authorization: Bearer " +
          key_ + "\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200")) << head;
  EXPECT_NE(head.find("Content-Length: " + std::to_string(get.text.size()) + "\r\n"),
            std::string::npos)
      << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  const std::string events =
      Raw("HEAD /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
          "Authorization: Bearer " +
          key_ + "\r\n\r\n");
  EXPECT_TRUE(events.starts_with("HTTP/1.1 200")) << events;
}

TEST_F(ApiLimits, PointAtWhatIsWrongInABody) {
  const Answer answer = Post(
      "/v1/jobs",
      R"({"type":"command.run","titel":"x","payload":{"workspace":"w","command":[]},"priority":77})");
  EXPECT_EQ(answer.status, 400);
  ASSERT_EQ(answer.body["errors"].Items().size(), 3u) << answer.text;
  EXPECT_EQ(answer.body["errors"].Items()[0]["pointer"].Text(), "/priority");
  EXPECT_EQ(answer.body["errors"].Items()[2]["hint"].Text(), "did you mean \"title\"?");
}

constexpr const char* kJobLine = R"({"type":"host.cleanup","payload":{"host":"local-1"}})"
                                 "\n";

// A part of a group would be another one under the same key.
TEST_F(ApiLimits, ABatchThatBrokeOffIsSentAgainWithTheSameKey) {
  StartApp("api: {batch_group: 2}\n");
  std::string lines;
  for (int i = 0; i < 4; ++i) lines += kJobLine;
  const std::string head =
      "POST /v1/jobs:batch HTTP/1.1\r\nHost: x\r\nIdempotency-Key: b\r\n"
      "Authorization: Bearer " +
      key_ + "\r\nContent-Length: " + std::to_string(lines.size()) + "\r\n\r\n";
  const size_t third = lines.size() / 4 * 3;
  const std::string broken = RawEnded(head + lines.substr(0, third));
  EXPECT_NE(broken.find("\"line\":2,\"status\":201"), std::string::npos) << broken;
  EXPECT_EQ(broken.find("\"line\":3"), std::string::npos) << broken;
  EXPECT_NE(broken.find("ended before it was whole"), std::string::npos) << broken;
  const Answer whole = Post("/v1/jobs:batch", lines, {{"Idempotency-Key", "b"}});
  for (int line = 1; line <= 4; ++line) {
    const std::string made = "\"line\":" + std::to_string(line) + ",\"status\":201";
    EXPECT_NE(whole.text.find(made), std::string::npos) << whole.text;
  }
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 4u);
}

// Who does not say how long it is.
TEST_F(ApiLimits, ABatchPastItsBoundSaysSoAfterWhatItTook) {
  StartApp("api: {batch_bytes_max: 2KiB, body_bytes_max: 1KiB}\n");
  std::string request = "POST /v1/jobs:batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ +
                        "\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10; ++i) request += std::string("35\r\n") + kJobLine + "\r\n";
  request += "800\r\n" + std::string(2'048, ' ') + "\r\n0\r\n\r\n";
  const std::string last = R"({"line":0,"status":413,)";
  EXPECT_NE(Raw(request, last).find(last), std::string::npos);
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 10u);
}

// One of 16 MiB made 2 GB of answer.
TEST_F(ApiLimits, ABatchHasSoManyLinesAndNoMore) {
  StartApp("api: {batch_lines_max: 3, batch_group: 2}\n");
  const std::string last = R"({"line":0,"status":413,)";
  std::string lines;
  for (int i = 0; i < 3; ++i) lines += std::string("\n") + kJobLine;
  EXPECT_EQ(Post("/v1/jobs:batch", lines).text.find(last), std::string::npos) << "no empty ones";
  const std::string head = "POST /v1/jobs:batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                           key_ + "\r\nContent-Length: 9000000\r\n\r\n";
  const std::string answer = Raw(head + lines + kJobLine);  // the rest is not waited for
  EXPECT_NE(answer.find("\"line\":6,\"status\":201"), std::string::npos) << answer;
  EXPECT_NE(answer.find(last), std::string::npos) << answer;
  EXPECT_NE(answer.find("a batch has at most 3 lines"), std::string::npos) << answer;
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 6u);
}

TEST_F(ApiLimits, TheAnswerToABatchIsNoLargerThanABatch) {
  StartApp("api: {batch_bytes_max: 2KiB, body_bytes_max: 1KiB, batch_group: 2}\n");
  std::string lines;
  for (int i = 0; i < 1'000; ++i) lines += "1\n";
  const std::string text = Post("/v1/jobs:batch", lines).text;
  EXPECT_NE(text.find(R"("line":2,"status":400)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"({"line":0,"status":413,)"), std::string::npos) << text;
  EXPECT_LT(text.size(), 4'096u) << text;
}

TEST_F(ApiLimits, OfALineOfManyFaultsTheFirstAreTold) {
  std::string line = "{";
  for (int i = 0; i < 1'000; ++i) line += "\"x" + std::to_string(i) + "\":1,";
  line.back() = '}';
  const auto result = a4c::ParseJson(Post("/v1/jobs:batch", line).text);
  ASSERT_TRUE(result);
  EXPECT_EQ((*result)["problem"]["errors"].Items().size(), 20u);
}

TEST_F(ApiLimits, ALineThatIsTooLongIsNoMatterToTheOthers) {
  StartApp("api: {body_bytes_max: 1KiB}\n");
  const std::string lines = kJobLine + std::string(1'200, 'x') + "\n" + kJobLine;
  const Headers key{{"Idempotency-Key", "b"}, {"Content-Type", "application/x-ndjson"}};
  const Answer first = Post("/v1/jobs:batch", lines, key);
  ASSERT_EQ(first.status, 200);
  EXPECT_NE(first.text.find(R"({"line":1,"status":201,)"), std::string::npos) << first.text;
  EXPECT_NE(first.text.find(R"({"line":2,"status":413,)"), std::string::npos) << first.text;
  EXPECT_NE(first.text.find(R"({"line":3,"status":201,)"), std::string::npos) << first.text;
  EXPECT_EQ(Post("/v1/jobs:batch", lines, key).text, first.text) << "with the same ids";
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 2u);
}

TEST_F(ApiLimits, PastItsRateAKeyIsTold) {
  StartApp("api: {rate_per_s: 1, rate_burst: 2}\n");
  EXPECT_EQ(Get("/v1/jobs").status, 200);
  EXPECT_EQ(Get("/v1/jobs").status, 200);
  Answer last = Get("/v1/jobs");
  for (int i = 0; i < 20 && last.status == 200; ++i) last = Get("/v1/jobs");
  EXPECT_EQ(last.status, 429);
  EXPECT_EQ(last.Header("ratelimit-policy"), "\"key\";q=2;w=2");
  EXPECT_GE(std::stoi(last.Header("retry-after")), 1);
  EXPECT_EQ(Get("/livez").status, 200);
}

TEST_F(ApiLimits, ATraceIsLoggedAndSecretsAreNot) {
  StartApp("");
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  Get("/v1/placement:explain", {{"traceparent", trace}});
  bool traced = false;
  for (const auto& entry : log_.Entries()) {
    for (const auto& [name, value] : entry.fields) {
      traced = traced || value == trace;
      EXPECT_EQ(value.find(key_), std::string::npos) << name;
    }
  }
  EXPECT_TRUE(traced);
}

TEST_F(ApiLimits, ARequestHasAnIdOfItsOwnOrOfATrustedGateway) {
  const auto id_for = [&](const Headers& headers) {
    return Get("/v1/jobs", headers).Header("x-request-id");
  };
  const std::string given = "gw-1.2_3";
  EXPECT_NE(id_for({{"X-Request-Id", given}}), given) << "anybody may say so";
  StartApp("api: {trusted_proxies: [127.0.0.1]}\n");
  EXPECT_EQ(id_for({{"X-Request-Id", given}}), given);
  EXPECT_EQ(id_for({{"X-Request-Id", std::string(64, 'x')}}), std::string(64, 'x'));
  const std::string unfit[] = {"1234567",   std::string(65, 'x'), "with blank",
                               "quote\"d1", "slash/ed",           "uml\xc3\xa4uted"};
  for (const std::string& one : unfit) {
    const std::string own = id_for({{"X-Request-Id", one}});
    EXPECT_NE(own, one);
    EXPECT_FALSE(own.empty()) << one;
  }
  const std::string twice = "X-Request-Id: " + given + "\r\n";
  const std::string answer =
      Raw("GET /livez HTTP/1.1\r\nHost: x\r\n" + twice + twice + "\r\n", "\r\n\r\n");
  EXPECT_NE(answer.find("X-Request-Id: "), std::string::npos) << answer;
  EXPECT_EQ(answer.find(given), std::string::npos) << answer;
}

TEST_F(ApiLimits, AProblemNamesTheRequestThatItAnswers) {
  const Answer missing = Get("/v1/jobs/none");
  ASSERT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body["instance"].Text(), "urn:a4c:request:" + missing.Header("x-request-id"));
  EXPECT_TRUE(Get("/v1/jobs").body["instance"].IsNull());
  const std::string retry = "/v1/jobs/" + CreateWorkspaceJob("dev-1").body["id"].Text() + ":retry";
  const Headers keyed{{"If-Match", "*"}, {"Idempotency-Key", "k"}};
  const Answer first = Post(retry, "", keyed);
  const Answer again = Post(retry, "", keyed);
  ASSERT_EQ(first.status, 409) << first.text;
  EXPECT_EQ(again.Header("idempotent-replayed"), "true");
  EXPECT_EQ(again.body["instance"].Text(), "urn:a4c:request:" + again.Header("x-request-id"));
  EXPECT_NE(again.body["instance"].Text(), first.body["instance"].Text());
}

// A client behind a gateway that hands its X-Request-Id on may say the same each time.
TEST_F(ApiLimits, TwoBatchesOfOneRequestIdAreTwo) {
  StartApp("api: {trusted_proxies: [127.0.0.1]}\n");
  const Headers same{{"X-Request-Id", "the-same-id"}, {"Content-Type", "application/x-ndjson"}};
  const Answer first = Post("/v1/jobs:batch", kJobLine, same);
  const Answer second = Post("/v1/jobs:batch", kJobLine, same);
  EXPECT_NE(first.text.find("\"status\":201"), std::string::npos) << first.text;
  EXPECT_NE(second.text.find("\"status\":201"), std::string::npos) << second.text;
  EXPECT_NE(first.text, second.text);
  EXPECT_EQ(Get("/v1/jobs").body["items"].Items().size(), 2u);
}

TEST_F(ApiLimits, WhoIsRefusedIsInTheLogWithItsAddressAndPath) {
  StartApp("api: {trusted_proxies: [127.0.0.1]}\n");
  const auto refused = [&](const std::string& key, const std::string& path) {
    const Headers headers{{"Authorization", "Bearer " + key}, {"X-Forwarded-For", "203.0.113.9"}};
    const int status = Get(path, headers).status;
    for (const auto& entry : log_.Entries()) {
      const auto of = [&](const char* name) {
        const auto found = entry.fields.find(name);
        return found == entry.fields.end() ? "" : found->second;
      };
      if (entry.event != "request" || of("status") != std::to_string(status)) continue;
      EXPECT_EQ(entry.level, a4c::LogLevel::kInfo);
      EXPECT_EQ(of("remote"), "203.0.113.9");
      return of("path");
    }
    return std::string("nothing of " + std::to_string(status));
  };
  EXPECT_EQ(refused("a4c_guessed", "/v1/jobs?q=hidden"), "/v1/jobs");
  EXPECT_EQ(refused(KeyFor("other", R"("jobs:read")"), "/v1/secrets/\x01" + std::string(500, 'x')),
            "/v1/secrets/?" + std::string(187, 'x'));
}

TEST_F(ApiLimits, WhoTriesKeysAllDayDoesNotFillTheLog) {
  const Headers wrong{{"Authorization", "Bearer a4c_guessed"}};
  for (int i = 0; i < 30; ++i) EXPECT_EQ(Get("/v1/jobs", wrong).status, 401);
  EXPECT_EQ(log_.CountOf("request", a4c::LogLevel::kInfo), 10);
}

TEST_F(ApiLimits, TheProcessShowsItsStateAndMetrics) {
  EXPECT_EQ(Get("/readyz", {{"Authorization", ""}}).status, 200);
  EXPECT_EQ(Get("/readyz?role=poller").status, 200);
  EXPECT_EQ(Get("/readyz?role=nothing").status, 503);
  const Answer status = Get("/v1/status");
  EXPECT_TRUE(status.body["ready"].Bool()) << status.text;
  EXPECT_TRUE(status.body["search"]["available"].Bool()) << status.text;
  Answer clock = status;
  while (!clock.body["clock_ahead_ms"].IsInt()) clock = Get("/v1/status");
  EXPECT_LT(std::abs(clock.body["clock_ahead_ms"].Int()), 1'000) << clock.text;
  EXPECT_NE(Get("/metrics").text.find("a4c_http_requests_total{operation=\"getStatus\""),
            std::string::npos);
  EXPECT_EQ(Get("/openapi.json").body["openapi"].Text(), "3.1.0");
}

TEST_F(ApiLimits, WhileItDrainsEachAnswerEndsItsConnection) {
  StartApp("drain: {not_ready: 5s}\n");
  const auto ask = [&](const std::string& path) {
    return Raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key_ + "\r\n\r\n",
               "\r\n\r\n");
  };
  std::string ready = ask("/readyz");
  EXPECT_EQ(ready.find("Connection: Close"), std::string::npos) << ready;
  std::thread drain([&] { app_->Drain(); });
  while (ready.starts_with("HTTP/1.1 200")) ready = ask("/readyz");
  const std::string list = ask("/v1/jobs");
  drain.join();
  EXPECT_TRUE(ready.starts_with("HTTP/1.1 503")) << ready;
  EXPECT_NE(ready.find("Connection: Close"), std::string::npos) << ready;
  EXPECT_TRUE(list.starts_with("HTTP/1.1 200")) << list;
  EXPECT_NE(list.find("Connection: Close"), std::string::npos) << list;
}

}  // namespace
}  // namespace a4cd
