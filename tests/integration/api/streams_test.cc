#include <Poco/Net/StreamSocket.h>

#include <array>
#include <atomic>
#include <thread>

#include "apps/a4cd/auth/api_key.h"
#include "tests/integration/support/api_fixture.h"

namespace a4cd {
namespace {

class ApiStreams : public ApiTest {
 protected:
  std::string EventsRequest(const std::string& key, const std::string& more = "") const {
    return "GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key + "\r\n" + more +
           "\r\n";
  }
};

TEST_F(ApiStreams, ShowChangesAsTheyAreAndOnesOwnOnly) {
  const std::string stranger = KeyFor("other");
  std::string got;
  std::thread reader([&] { got = Raw(EventsRequest(key_), "the pier of last"); });
  CreateWorkspaceJob("foreign", Bearer(stranger));
  CreateWorkspaceJob("first");
  const Answer last = CreateWorkspaceJob("last");
  reader.join();
  EXPECT_NE(got.find("Content-Type: text/event-stream"), std::string::npos) << got;
  EXPECT_NE(got.find("event: job"), std::string::npos) << got;
  EXPECT_NE(got.find(last.body["id"].Text()), std::string::npos) << got;
  EXPECT_EQ(got.find("the pier of foreign"), std::string::npos) << got;
}

TEST_F(ApiStreams, ComeBackWhereTheyWereOrAreToldThatTheyCannot) {
  std::string got;
  std::thread reader([&] { got = Raw(EventsRequest(key_), "the pier of first"); });
  CreateWorkspaceJob("first");
  reader.join();
  const std::string lost = Raw(EventsRequest(key_, "Last-Event-ID: 17\r\n"), "resync");
  EXPECT_NE(lost.find("event: resync"), std::string::npos) << lost;
  const std::string wrong = Raw(EventsRequest(key_, "Last-Event-ID: x\r\n"), "resync");
  EXPECT_NE(wrong.find("event: resync"), std::string::npos) << wrong;
}

TEST_F(ApiStreams, MoreThanTheirBufferAtOnceArrivesWhole) {
  StartApp("api: {stream_buffer_bytes_max: 4KiB}\n");
  std::string got;
  std::thread reader([&] { got = Raw(EventsRequest(key_), "the pier of first"); });
  CreateWorkspaceJob("first");
  reader.join();
  const size_t id = got.rfind("id: ") + 4;
  const std::string last_id = got.substr(id, got.find('\n', id) - id);
  for (int i = 0; i < 40; ++i) CreateWorkspaceJob("w-" + std::to_string(i));
  const std::string missed =
      Raw(EventsRequest(key_, "Last-Event-ID: " + last_id + "\r\n"), "the pier of w-39");
  EXPECT_GT(missed.size(), 8'000u);
  EXPECT_NE(missed.find("the pier of w-0"), std::string::npos) << missed;
  EXPECT_NE(missed.find("the pier of w-39"), std::string::npos) << missed;
}

TEST_F(ApiStreams, PastTheirNumberAreRefused) {
  StartApp("api: {streams_max: 0}\n");
  EXPECT_NE(Raw(EventsRequest(key_), "\r\n\r\n").find("HTTP/1.1 503"), std::string::npos);
}

// One key with jobs:read took them all.
TEST_F(ApiStreams, OfOneTenantLeaveSomeToTheOthers) {
  StartApp("api: {streams_max: 2, streams_per_tenant_max: 1}\n");
  const std::string other = KeyFor("other");
  Poco::Net::StreamSocket first(
      Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port_)));
  const std::string request = EventsRequest(key_);
  first.sendBytes(request.data(), static_cast<int>(request.size()));
  std::array<char, 64> head{};
  ASSERT_GT(first.receiveBytes(head.data(), head.size()), 0);
  const std::string refused = Raw(request, "\r\n\r\n");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 429 ")) << refused;
  EXPECT_NE(refused.find("Retry-After: "), std::string::npos) << refused;
  const std::string log = "/v1/jobs/" + CreateWorkspaceJob("dev-1").body["id"].Text() + "/logs";
  EXPECT_EQ(Get(log + "?follow=true").status, 429) << "a log that is followed is one";
  EXPECT_EQ(Get(log).status, 200);
  EXPECT_TRUE(Raw(EventsRequest(other), "\r\n\r\n").starts_with("HTTP/1.1 200 "));
  first.close();
  std::string again;
  while (!again.starts_with("HTTP/1.1 200 ")) again = Raw(request, "\r\n\r\n");
}

TEST_F(ApiStreams, EndWhenTheirKeyIsRevoked) {
  StartApp("api: {auth_cache: 0}\n");
  const std::string key = KeyFor("default", R"("jobs:read")");
  std::string got;
  std::thread reader([&] { got = Raw(EventsRequest(key)); });
  std::string others;
  std::thread other([&] { others = Raw(EventsRequest(key_), "the pier of last"); });
  const std::string id = ApiKeyId(ApiKeyHash(key));
  EXPECT_EQ(Send("DELETE", "/v1/keys/" + id, "", {{"If-Match", "*"}}).status, 200);
  reader.join();  // ends because the key did
  CreateWorkspaceJob("last");
  other.join();
  EXPECT_NE(others.find("the pier of last"), std::string::npos) << others;
}

TEST_F(ApiStreams, EndWhenTheirKeyExpires) {
  const Answer made = Post("/v1/keys", R"({"name":"k","scopes":["jobs:read"],"ttl":"2s"})");
  ASSERT_EQ(made.status, 201) << made.text;
  const std::string got = Raw(EventsRequest(made.body["key"].Text()));  // until it ends
  EXPECT_NE(got.find("HTTP/1.1 200"), std::string::npos) << got;
}

TEST_F(ApiStreams, OfALogEndWithItsJob) {
  const Answer job = CreateWorkspaceJob("dev-1");
  const std::string path = "/v1/jobs/" + job.body["id"].Text();
  std::string got;
  std::thread reader([&] {
    got = Raw("GET " + path + "/logs?follow=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
              key_ + "\r\n\r\n");
  });
  EXPECT_EQ(Post(path + ":cancel", "", {{"If-Match", "*"}}).status, 200);
  reader.join();  // ends because the job did
  EXPECT_NE(got.find("HTTP/1.1 200"), std::string::npos) << got;
  EXPECT_EQ(Get(path + "/logs").Header("a4c-log-next"), "0");
}

// Silence would be taken for a break, and a break for the end.
TEST_F(ApiStreams, OfALogAsEventsGiveASignOfLife) {
  const Answer job = CreateWorkspaceJob("dev-1");
  const std::string got =
      Raw("GET /v1/jobs/" + job.body["id"].Text() +
              "/logs?follow=true HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
              "Authorization: Bearer " +
              key_ + "\r\n\r\n",
          "\n:\n\n");
  EXPECT_NE(got.find("text/event-stream"), std::string::npos) << got;
  EXPECT_NE(got.find("\n:\n\n"), std::string::npos) << got;
}

TEST_F(ApiStreams, DoNotHoldUpADrainThatFinishesWhatWasBegun) {
  std::string events;
  std::thread reader([&] { events = Raw(EventsRequest(key_)); });
  std::atomic<bool> stop{false};
  std::atomic<int> created{0};
  std::atomic<int> broken{0};
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const Answer answer = CreateWorkspaceJob("w-" + std::to_string(i));
      if (answer.status == 201) ++created;
      // Refused connections are fine; a request that was taken and not answered is not.
      if (answer.status != 201 && answer.status > 0 && answer.status != 503) ++broken;
    }
  });
  while (created < 3) std::this_thread::yield();
  app_->Drain();
  stop = true;
  writer.join();
  reader.join();
  EXPECT_EQ(broken, 0);
  EXPECT_GE(created, 3);
}

}  // namespace
}  // namespace a4cd
