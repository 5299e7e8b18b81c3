// What workspaces use, asked of servers that answer or do not.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>

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
    if (read_many) return read_many(call, host, units);
    EXPECT_EQ(host, "one");
    EXPECT_EQ(units.size(), 1u);
    return read(call, units.at(0));
  }

  std::function<Result<std::vector<UnitActivity>>(const Call&, const std::string&)> read;
  // Instead; by several threads.
  std::function<Result<std::vector<UnitActivity>>(const Call&, const std::string&,
                                                  const std::vector<std::string>&)>
      read_many;
  std::atomic<int> reads = 0;

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
    NameValues query;
    if (!interval.empty()) query = {{"interval_ms", interval}};
    return Send("/v1/workspaces/" + id + "/stats", query, {{"id", id}});
  }
  Response AskForAll(const NameValues& query = {}) {
    return Send("/v1/workspaces:stats", query, {});
  }
  Response Send(const std::string& path, const NameValues& query,
                std::map<std::string, std::string, std::less<>> params) {
    Request request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    request.params = std::move(params);
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
  KeyWatch key_watch_{keys_, 1'000};
  SecretService secrets_{database_, fake_.runtime(), nullptr};
  EventFeed feed_{database_, fake_.runtime()};
  NoProcess process_;
  ToldHosts hosts_;
  ApiContext api_{fake_.runtime(),
                  {},
                  database_,
                  jobs_,
                  keys_,
                  key_watch_,
                  secrets_,
                  &hosts_,
                  feed_,
                  process_,
                  ids_,
                  RateLimiter(fake_.runtime().clock, 0, 0),
                  InFlight(fake_.runtime())};
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

// Each holds a thread for as long as it measures.
TEST_F(ApiStats, OfOneTenantAreSoManyAtATime) {
  std::vector<std::unique_ptr<TenantPlaces::Place>> places(16);
  for (auto& place : places) ASSERT_FALSE(api_.places.slow_requests.Enter(kTenant, place));
  EXPECT_EQ(Ask("placed").status, 429);
  EXPECT_EQ(AskForAll().status, 429);
  places.clear();
  EXPECT_EQ(Ask("placed").status, 200);
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

class ApiStatsOfMany : public ApiStats {
 protected:
  void SetUp() override {
    ApiStats::SetUp();
    hosts_.read_many = [this](const Call&, const std::string& host,
                              const std::vector<std::string>& units) {
      return AQuarter(host, units);
    };
  }
  // That server, and how many on it.
  void Place(const std::string& host, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string id = host + "-" + std::to_string(i);
      Put(id, R"({"name":")" + id + R"(","desired":"running","actual":"running","host":")" + host +
                  R"(","created_at":5})");
    }
  }
  Result<std::vector<UnitActivity>> AQuarter(const std::string&,
                                             const std::vector<std::string>& units) {
    std::vector<UnitActivity> all;
    for (const std::string& unit : units) {
      all.push_back({.name = unit, .cpu_ms = fake_.clock().MonotonicMs() / 4});
    }
    return all;
  }
};

TEST_F(ApiStatsOfMany, AServerIsAskedTwiceForAllThatAreOnIt) {
  Place("two", 30);
  Place("three", 5);
  const Response response = AskForAll({{"limit", "100"}});
  ASSERT_EQ(response.status, 200) << response.body;
  const Json body = Body(response);
  const auto& items = body["items"].Items();
  EXPECT_EQ(items.size(), 35u) << "those with created_at, which a list goes by";
  for (const Json& item : items) {
    EXPECT_TRUE(item["problem"].IsNull()) << item.ToString();
    EXPECT_EQ(item["cpu_percent"].ToString(), "25.0") << item.ToString();
  }
  EXPECT_EQ(hosts_.reads, 4);
}

TEST_F(ApiStatsOfMany, AreThoseOfAFilterAndInPages) {
  Place("two", 3);
  Place("three", 2);
  const Json filtered = Body(AskForAll({{"host", "three"}, {"interval_ms", "0"}}));
  EXPECT_EQ(filtered["items"].Items().size(), 2u);
  EXPECT_TRUE(filtered["next"].IsNull());
  const Json first = Body(AskForAll({{"limit", "3"}, {"interval_ms", "0"}}));
  ASSERT_EQ(first["items"].Items().size(), 3u);
  const Json rest =
      Body(AskForAll({{"limit", "3"}, {"interval_ms", "0"}, {"cursor", first["next"].Text()}}));
  EXPECT_EQ(rest["items"].Items().size(), 2u);
  EXPECT_EQ(AskForAll({{"actual", "gone"}}).status, 400);
  EXPECT_EQ(AskForAll({{"cursor", "x"}}).status, 400);
  EXPECT_EQ(AskForAll({{"interval_ms", "5001"}}).status, 400);
  EXPECT_EQ(AskForAll({{"limit", "0"}}).status, 400);
}

TEST_F(ApiStatsOfMany, OneThatIsNamedAndNotThereHasAProblemOfItsOwn) {
  const Json body = Body(AskForAll({{"workspaces", "placed,nobody, waiting"}}));
  const auto& items = body["items"].Items();
  ASSERT_EQ(items.size(), 3u) << body.ToString();
  EXPECT_EQ(items[0]["name"].Text(), "nobody");
  EXPECT_EQ(items[0]["problem"]["status"].Int(), 404);
  EXPECT_TRUE(items[1]["running"].Bool());
  EXPECT_FALSE(items[2]["running"].Bool(true));
  std::string many = "a";
  for (int i = 0; i < 100; ++i) many += ",a";
  for (const std::string& wrong : {std::string(), std::string(","), many}) {
    const Response response = AskForAll({{"workspaces", wrong}});
    EXPECT_EQ(response.status, 400);
    EXPECT_NE(response.body.find("1 to 100 ids or names"), std::string::npos) << response.body;
  }
  const Response both = AskForAll({{"workspaces", "placed"}, {"actual", "running"}});
  EXPECT_EQ(both.status, 400) << both.body;
}

TEST_F(ApiStatsOfMany, AServerThatHangsCostsTheOthersNothing) {
  Place("two", 2);
  Place("three", 2);
  hosts_.read_many =
      [this](const Call& call, const std::string& host,
             const std::vector<std::string>& units) -> Result<std::vector<UnitActivity>> {
    if (host != "two") return AQuarter(host, units);
    fake_.clock().Advance(call.RemainingMs());
    return Error(Code::kTimeout, "no answer");
  };
  const int64_t begun_ms = fake_.clock().MonotonicMs();
  const Json body = Body(AskForAll());
  EXPECT_LT(fake_.clock().MonotonicMs() - begun_ms, kTimeoutMs);
  ASSERT_EQ(body["items"].Items().size(), 4u) << body.ToString();
  for (const Json& item : body["items"].Items()) {
    const bool is_silent = item["host"].Text() == "two";
    EXPECT_EQ(item["problem"]["status"].Int(), is_silent ? 503 : 0) << item.ToString();
    EXPECT_EQ(item["cpu_percent"].IsNull(), is_silent) << item.ToString();
    EXPECT_TRUE(item["id"].IsText()) << item.ToString();
  }
  EXPECT_EQ(hosts_.reads, 3) << "it is not asked again";
}

TEST_F(ApiStatsOfMany, FewServersAreAskedAtOnceAndAllAre) {
  for (int i = 0; i < 40; ++i) Place("host" + std::to_string(i), 1);
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  hosts_.read_many = [&](const Call&, const std::string& host,
                         const std::vector<std::string>& units) {
    const int asked = ++now;
    int before = most;
    while (asked > before && !most.compare_exchange_weak(before, asked)) {
    }
    // A ninth would come while eight are here.
    for (int i = 0; i < 10'000 && now <= 8; ++i) std::this_thread::yield();
    auto all = AQuarter(host, units);
    --now;
    return all;
  };
  const Json body = Body(AskForAll({{"limit", "100"}, {"interval_ms", "0"}}));
  EXPECT_EQ(body["items"].Items().size(), 40u);
  EXPECT_EQ(hosts_.reads, 40);
  EXPECT_LE(most, 8);
  EXPECT_GT(most, 1);
}

}  // namespace
}  // namespace a4cd
