// Lists that people ask for come from a replica, if they may be a little old, and say how old; what
// is decided never does.
#include <utility>

#include "a4c/replicas.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/api/event_feed.h"
#include "tests/integration/support/work_fixture.h"
#include "tests/support/recording_sinks.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kStaleMs = 1'500;

// Its replica lacks the newest record of each page.
class BehindStore final : public a4c::Store, public a4c::Replicas {
 public:
  explicit BehindStore(a4c::Store& inner) : inner_(inner) {}

  Result<void> Ensure(const Call& call, std::span<const a4c::Kind> kinds) override {
    return inner_.Ensure(call, kinds);
  }
  Result<a4c::ApplyAnswer> Apply(const Call& call,
                                 std::span<const a4c::WriteBatch> batches) override {
    return inner_.Apply(call, batches);
  }
  Result<a4c::GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return inner_.Get(call, refs);
  }
  Result<a4c::ScanAnswer> Scan(const Call& call, const a4c::ScanRequest& request) override {
    if (request.replica_ok) ++replica_scans;
    return inner_.Scan(call, request);
  }
  Result<a4c::ReplicaScan> ScanReplica(const Call& call, const a4c::ScanRequest& request) override {
    ++replica_scans;
    A4C_TRY(a4c::ScanAnswer scan, inner_.Scan(call, request));
    if (!scan.records.empty()) scan.records.erase(scan.records.begin());
    return a4c::ReplicaScan{std::move(scan), kStaleMs};
  }

  int replica_scans = 0;

 protected:
  void* Extension(std::string_view name) override {
    if (name == a4c::Replicas::kExtension) return static_cast<a4c::Replicas*>(this);
    if (name == a4c::Leases::kExtension) return inner_.As<a4c::Leases>();
    return nullptr;
  }

 private:
  a4c::Store& inner_;
};

class NoProcess final : public ProcessView {
 public:
  std::string WhyNotReady(const Call&, const std::string&) override { return ""; }
  Json Status(const Call&) override { return Json::Object{}; }
  std::string MetricsText() override { return ""; }
};

class ReplicaLists : public ::testing::Test {
 protected:
  // A workspace that runs, and a snapshot of it.
  void SetUp() override {
    for (auto& loop : instance_.worker.NewSingletons()) loops_.push_back(std::move(loop));
    for (auto& loop : instance_.worker.NewWorkLoops()) loops_.push_back(std::move(loop));
    Do("workspace.create", CreatePayload("dev-1"));
    ASSERT_FALSE(HasFatalFailure());
    Do("workspace.snapshot", Json::Object{{"workspace", "dev-1"}});
  }

  void Do(const std::string& type, Json payload) {
    JobDraft draft;
    draft.type = type;
    draft.payload = std::move(payload);
    const Result<Job> job = Submit(fake_.runtime(), instance_, draft);
    ASSERT_TRUE(job) << job.error().ToString();
    for (int round = 0; round < 5; ++round) {
      for (const auto& loop : loops_) {
        const Result<int64_t> step = loop->Step(Within());
        EXPECT_TRUE(step) << loop->name() << ": " << step.error().ToString();
      }
      fake_.clock().Advance(1'000);
    }
    const Result<Job> done = instance_.jobs.Get(Within(), kTenant, job->id);
    ASSERT_TRUE(done && done->state == JobState::kSucceeded) << type << ": " << done->message;
  }

  Call Within() const { return fake_.Within(30'000); }

  Response List(const std::string& path,
                const std::vector<std::pair<std::string, std::string>>& query = {},
                const std::string& may_touch = kTenant) {
    for (const Route& route : Routes()) {
      if (route.pattern != path || std::string(route.method) != "GET") continue;
      Request request;
      request.method = "GET";
      request.path = path;
      request.query = query;
      request.principal = {.tenant = kTenant, .key_id = "mine", .scopes = {"*"}};
      request.may_touch = {may_touch};
      request.deadline_ms = fake_.runtime().clock.MonotonicMs() + 30'000;
      return route.handler(api_, request);
    }
    ADD_FAILURE() << "there is no " << path;
    return {};
  }
  Json Page(const std::string& path,
            const std::vector<std::pair<std::string, std::string>>& query = {}) {
    const Response response = List(path, query);
    EXPECT_EQ(response.status, 200) << response.body;
    const Result<Json> page = a4c::ParseJson(response.body);
    return page ? *page : Json();
  }

  a4c::testing::FakeRuntime fake_;
  a4c::testing::RecordingMetrics metrics_;
  const std::unique_ptr<a4c::Store> memory_ = a4c::NewMemoryStore(fake_.runtime());
  BehindStore store_{*memory_};
  const std::unique_ptr<a4c::HostProvider> hosts_ =
      a4c::NewMemoryHostProvider(fake_.runtime(), kOneServer);
  Instance instance_{fake_.runtime(), store_, *hosts_, {}};
  std::vector<std::unique_ptr<a4c::Loop>> loops_;
  KeyService keys_{instance_.database, fake_.runtime(), 0};
  KeyWatch key_watch_{keys_, 1'000};
  SecretService secrets_{instance_.database, fake_.runtime(), nullptr};
  EventFeed feed_{instance_.database, fake_.runtime()};
  NoProcess process_;
  ApiContext api_{fake_.runtime(),
                  {},
                  instance_.database,
                  instance_.jobs,
                  keys_,
                  key_watch_,
                  secrets_,
                  nullptr,
                  feed_,
                  process_,
                  instance_.ids,
                  RateLimiter(fake_.runtime().clock, 0, 0),
                  InFlight(fake_.runtime())};
};

constexpr std::pair<const char*, size_t> kLists[] = {
    {"/v1/jobs", 2}, {"/v1/workspaces", 1}, {"/v1/snapshots", 1}};

TEST_F(ReplicaLists, SayHowOldTheyMayBe) {
  for (const auto& [path, all] : kLists) {
    const Json page = Page(path);
    EXPECT_EQ(page["items"].Items().size(), all - 1) << path;
    EXPECT_EQ(page["stale_ms"].Int(), kStaleMs) << path;
  }
  EXPECT_EQ(store_.replica_scans, 3);
}

TEST_F(ReplicaLists, AreThePrimarysWhereAWriteMustBeSeen) {
  const std::vector<std::pair<std::string, std::string>> fresh = {{"require_fresh", "true"}};
  const std::vector<std::pair<std::string, std::string>> token = {{"token", "any"}};
  for (const auto& [path, all] : kLists) {
    for (const auto& query : {fresh, token}) {
      // Jobs with a token are the index's.
      if (std::string(path) == "/v1/jobs" && query == token) continue;
      const Json page = Page(path, query);
      EXPECT_EQ(page["items"].Items().size(), all) << path;
      EXPECT_EQ(page.Find("stale_ms"), nullptr) << path;
    }
  }
  EXPECT_EQ(store_.replica_scans, 0);
}

TEST_F(ReplicaLists, AreHeldToWhatTheKeyMayTouch) {
  for (const auto& [path, all] : kLists) {
    const Response response = List(path, {}, "attacker");
    EXPECT_EQ(response.status, 502) << path << ": " << response.body;
  }
  EXPECT_EQ(store_.replica_scans, 3);
}

TEST_F(ReplicaLists, NothingThatIsDecidedReadsAReplica) {
  Do("workspace.stop", Json::Object{{"workspace", "dev-1"}});
  Do("workspace.delete", Json::Object{{"workspace", "dev-1"}});
  EXPECT_EQ(store_.replica_scans, 0);
}

}  // namespace
}  // namespace a4cd::testing
