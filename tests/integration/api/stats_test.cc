// What workspaces use, asked of servers that answer or do not.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "a4c/host_activity.h"
#include "a4c/memory.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/api/event_feed.h"
#include "apps/a4cd/jobs/kinds.h"
#include "tests/support/fake_clock.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Json;
using a4c::Result;
using a4c::UnitActivity;

constexpr const char* kTenant = "acme";
constexpr int64_t kTimeoutMs = 10'000;
constexpr int64_t kMiB = 1 << 20;

class NoProcess final : public ProcessView {
 public:
  std::string WhyNotReady(const Call&, const std::string&) override { return ""; }
  Json Status(const Call&) override { return Json::Object{}; }
  std::string MetricsText() override { return ""; }
};

// Says what the test says of units, and nothing else.
class ToldHosts final : public a4c::HostProvider, public a4c::HostActivity {
 public:
  Result<std::vector<a4c::Host>> Hosts(const Call&) override { return std::vector<a4c::Host>(); }
  Result<a4c::UnitStatus> Ensure(const Call&, const a4c::Unit&) override { return None(); }
  Result<void> Remove(const Call&, const std::string&, const std::string&,
                      const a4c::Fence&) override {
    return None();
  }
  Result<std::vector<a4c::UnitStatus>> List(const Call&, const std::string&) override {
    return None();
  }
  Result<std::vector<UnitActivity>> Read(const Call& call, const std::string& host,
                                         const std::vector<std::string>& units) override {
    ++reads;
    EXPECT_EQ(host, "one");
    EXPECT_EQ(units.size(), 1u);
    return read(call, units.at(0));
  }

  std::function<Result<std::vector<UnitActivity>>(const Call&, const std::string&)> read;
  int reads = 0;

 protected:
  void* Extension(std::string_view name) override {
    return name == kExtension ? static_cast<a4c::HostActivity*>(this) : nullptr;
  }

 private:
  static Error None() { return {Code::kUnsupported, "it only tells"}; }
};

class ApiStats : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_.Open(fake_.Within(kTimeoutMs), AllCollections()));
    Put("placed", R"({"name":"placed","desired":"running","actual":"running","host":"one",)"
                  R"("memory_bytes":67108864,"disk_bytes":1073741824,"pids":50})");
    Put("waiting", R"({"name":"waiting","desired":"running","actual":"pending"})");
    hosts_.read = [this](const Call&, const std::string& unit) {
      // A quarter of a core.
      return Told({.name = unit,
                   .cpu_ms = fake_.clock().MonotonicMs() / 4,
                   .memory_bytes = 10 * kMiB,
                   .memory_limit_bytes = 64 * kMiB,
                   .processes = 3,
                   .disk_used_bytes = kMiB});
    };
  }

  static Result<std::vector<UnitActivity>> Told(UnitActivity use) {
    return std::vector<UnitActivity>{std::move(use)};
  }
  void Put(const std::string& id, const std::string& body) {
    const auto done =
        database_.Write(fake_.Within(kTimeoutMs), {.changes = {{.ref = {"workspace", {kTenant, id}},
                                                                .body = body,
                                                                .expect = a4c::Expect::Absent()}}});
    ASSERT_TRUE(done) << done.error().ToString();
  }
  Response Ask(const std::string& id, const std::string& interval = "") {
    Request request;
    request.method = "GET";
    request.path = "/v1/workspaces/" + id + "/stats";
    if (!interval.empty()) request.query = {{"interval_ms", interval}};
    request.params = {{"id", id}};
    request.principal = {.tenant = kTenant, .key_id = "mine", .scopes = {"workspaces:read"}};
    request.may_touch = {kTenant};
    request.deadline_ms = fake_.clock().MonotonicMs() + kTimeoutMs;
    const Match match = MatchRoute(Routes(), "GET", request.path);
    EXPECT_NE(match.route, nullptr);
    return match.route->handler(api_, request);
  }
  static Json Body(const Response& response) {
    const auto body = a4c::ParseJson(response.body);
    EXPECT_TRUE(body) << response.body;
    return body ? *body : Json();
  }

  a4c::testing::FakeRuntime fake_{1, a4c::testing::Passing::kAtWaits};
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(fake_.runtime());
  a4c::IdSource ids_{fake_.runtime().clock, fake_.runtime().random};
  a4c::Database database_{{.store = *store_}, fake_.runtime()};
  JobService jobs_{database_, fake_.runtime(), ids_};
  KeyService keys_{database_, fake_.runtime(), 0};
  SecretService secrets_{database_, fake_.runtime(), nullptr};
  EventFeed feed_{database_, fake_.runtime()};
  NoProcess process_;
  ToldHosts hosts_;
  ApiContext api_{fake_.runtime(),
                  {},
                  database_,
                  jobs_,
                  keys_,
                  secrets_,
                  &hosts_,
                  feed_,
                  process_,
                  ids_,
                  RateLimiter(fake_.runtime().clock, 0, 0),
                  InFlight(fake_.runtime()),
                  SessionPlaces(fake_.metrics(), 10, 10)};
};

TEST_F(ApiStats, SayWhatAWorkspaceUsesAndOfHowMuch) {
  const Response response = Ask("placed");
  ASSERT_EQ(response.status, 200) << response.body;
  const Json body = Body(response);
  EXPECT_TRUE(body["running"].Bool());
  EXPECT_EQ(body["cpu_percent"].ToString(), "25.0") << response.body;
  EXPECT_EQ(body["memory_bytes"].Int(), 10 * kMiB);
  EXPECT_EQ(body["memory_limit_bytes"].Int(), 64 * kMiB);
  EXPECT_EQ(body["processes"].Int(), 3);
  EXPECT_EQ(body["processes_limit"].Int(), 50);
  EXPECT_EQ(body["disk_used_bytes"].Int(), kMiB);
  EXPECT_EQ(body["disk_limit_bytes"].Int(), 1024 * kMiB);
  EXPECT_TRUE(body["read_at"].IsText());
  EXPECT_EQ(hosts_.reads, 2);
}

TEST_F(ApiStats, WithoutAnIntervalAServerIsAskedOnce) {
  const Json body = Body(Ask("placed", "0"));
  EXPECT_TRUE(body["cpu_percent"].IsNull());
  EXPECT_GT(body["cpu_ms"].Int(), 0);
  EXPECT_EQ(hosts_.reads, 1);
  for (const char* wrong : {"-1", "5001", "1s", " "}) {
    EXPECT_EQ(Ask("placed", wrong).status, 400) << wrong;
  }
}

TEST_F(ApiStats, OneThatDoesNotRunHasOnlyLimits) {
  hosts_.read = [](const Call&, const std::string&) { return std::vector<UnitActivity>(); };
  const Json stopped = Body(Ask("placed"));
  EXPECT_FALSE(stopped["running"].Bool(true));
  EXPECT_EQ(stopped["memory_limit_bytes"].Int(), 64 * kMiB) << "as its record says";
  EXPECT_TRUE(stopped["memory_bytes"].IsNull());
  hosts_.reads = 0;
  EXPECT_FALSE(Body(Ask("waiting"))["running"].Bool(true));
  EXPECT_EQ(hosts_.reads, 0) << "there is nobody to ask";
  EXPECT_EQ(Ask("nobody").status, 404);
}

TEST_F(ApiStats, OneThatWasStartedAnewBetweenTheLooksHasNoShare) {
  hosts_.read = [this](const Call&, const std::string& unit) {
    return Told({.name = unit, .cpu_ms = hosts_.reads == 1 ? 5'000 : 10});
  };
  const Json body = Body(Ask("placed"));
  EXPECT_TRUE(body["running"].Bool());
  EXPECT_TRUE(body["cpu_percent"].IsNull());
}

TEST_F(ApiStats, AServerThatHangsIsSaidToBeSilentWithinTheRequestsTime) {
  hosts_.read = [this](const Call& call, const std::string&) -> Result<std::vector<UnitActivity>> {
    fake_.clock().Advance(call.RemainingMs());
    return Error(Code::kTimeout, "no answer");
  };
  const int64_t begun_ms = fake_.clock().MonotonicMs();
  const Response response = Ask("placed");
  EXPECT_LT(fake_.clock().MonotonicMs() - begun_ms, kTimeoutMs);
  EXPECT_EQ(response.status, 503) << response.body;
  EXPECT_NE(response.body.find("the server one does not answer"), std::string::npos)
      << response.body;
  EXPECT_NE(std::ranges::find(response.headers, "Retry-After", &NameValues::value_type::first),
            response.headers.end());
}

TEST_F(ApiStats, WhatAServerRefusesIsNotTheClientsKey) {
  hosts_.read = [](const Call&, const std::string&) -> Result<std::vector<UnitActivity>> {
    return Error(Code::kDenied, "in quarantine");
  };
  const Response response = Ask("placed");
  EXPECT_EQ(response.status, 503) << response.body;
  EXPECT_NE(response.body.find("in quarantine"), std::string::npos) << response.body;
}

}  // namespace
}  // namespace a4cd
