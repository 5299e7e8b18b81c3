// An instance whose wall clock is hours from the store's: whose time is up is the store's to say.
#include <map>
#include <string>
#include <vector>

#include "a4c/host_extensions.h"
#include "apps/a4cd/api/api.h"
#include "apps/a4cd/api/event_feed.h"
#include "apps/a4cd/api/handlers/handlers.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kHourMs = 3'600'000;

// Notes from when a log is asked for, and keeps none.
class AskedLogs final : public a4c::HostProvider, public a4c::HostLogs, public a4c::HostLogTimes {
 public:
  Result<std::vector<a4c::Host>> Hosts(const Call&) override { return std::vector<a4c::Host>(); }
  Result<UnitStatus> Ensure(const Call&, const Unit&) override { return None(); }
  Result<void> Remove(const Call&, const std::string&, const std::string&,
                      const a4c::Fence&) override {
    return None();
  }
  Result<std::vector<UnitStatus>> List(const Call&, const std::string&) override { return None(); }
  Result<a4c::LogPage> Read(const Call&, const std::string&, const std::string&, const std::string&,
                            int64_t) override {
    return a4c::LogPage{};
  }
  Result<std::string> PositionAt(const Call&, const std::string&, const std::string&,
                                 int64_t time_ms) override {
    asked_ms.push_back(time_ms);
    return std::string("0");
  }

  std::vector<int64_t> asked_ms;

 protected:
  void* Extension(std::string_view name) override {
    if (name == a4c::HostLogs::kExtension) return static_cast<a4c::HostLogs*>(this);
    return name == a4c::HostLogTimes::kExtension ? static_cast<a4c::HostLogTimes*>(this) : nullptr;
  }

 private:
  static a4c::Error None() { return {a4c::Code::kUnsupported, "it only listens"}; }
};

class NoProcess final : public ProcessView {
 public:
  std::string WhyNotReady(const Call&, const std::string&) override { return ""; }
  Json Status(const Call&) override { return Json::Object{}; }
  std::string MetricsText() override { return ""; }
};

// The API of an instance over these hosts.
struct ApiOf {
  ApiOf(const a4c::Runtime& runtime, Instance& instance, a4c::HostProvider& hosts)
      : keys(instance.database, runtime, 0),
        key_watch(keys, 1'000),
        secrets(instance.database, runtime, nullptr),
        feed(instance.database, runtime),
        context{runtime,          {},           instance.database,
                instance.jobs,    keys,         key_watch,
                secrets,          &hosts,       feed,
                process,          instance.ids, RateLimiter(runtime.clock, 0, 0),
                InFlight(runtime)} {}

  KeyService keys;
  KeyWatch key_watch;
  SecretService secrets;
  EventFeed feed;
  NoProcess process;
  ApiContext context;
};

class WallClockTest : public ::testing::Test {
 protected:
  WallClockTest() {
    for (auto& loop : instance_.worker.NewSingletons()) loops_[loop->name()] = std::move(loop);
    for (auto& loop : instance_.worker.NewWorkLoops()) loops_[loop->name()] = std::move(loop);
  }
  // In truth.
  void Pass(int64_t ms) {
    here_.clock().Advance(ms);
    there_.clock().Advance(ms);
  }
  void Step(const std::string& name) {
    const Result<int64_t> step = loops_.at(name)->Step(here_.Within(30'000));
    EXPECT_TRUE(step) << step.error().ToString();
  }
  void Work() {
    for (int i = 0; i < 20; ++i) Step("worker-1");
  }
  Job Submit(const std::string& type, Json payload, int64_t deadline_ms = 0) {
    JobDraft draft;
    draft.type = type;
    draft.payload = std::move(payload);
    draft.deadline_ms = deadline_ms;
    const Result<Job> job = testing::Submit(here_.runtime(), instance_, draft);
    EXPECT_TRUE(job) << job.error().ToString();
    return job ? *job : Job{};
  }
  bool HasWorkspace(const std::string& id) {
    return instance_.jobs.FindWorkspace(here_.Within(30'000), kTenant, id).has_value();
  }

  a4c::testing::FakeRuntime here_;
  a4c::testing::FakeRuntime there_;
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(there_.runtime());
  const std::unique_ptr<a4c::HostProvider> memory_hosts_ =
      NewMemoryHostProvider(here_.runtime(), kOneServer);
  HookedHosts hosts_{*memory_hosts_};
  Instance instance_{here_.runtime(), *store_, hosts_, {}};
  std::map<std::string, std::unique_ptr<a4c::Loop>> loops_;
};

TEST_F(WallClockTest, AJumpDeletesNoWorkspaceWhoseTtlHasNotEnded) {
  Json payload = CreatePayload("dev-1");
  payload.Set("ttl", "4h");
  const std::string id = Submit("workspace.create", std::move(payload)).workspace;
  Work();
  here_.clock().JumpWallClock(8 * kHourMs);
  Step("expiry");
  Work();
  EXPECT_TRUE(HasWorkspace(id));
  here_.clock().JumpWallClock(-16 * kHourMs);
  Pass(4 * kHourMs + 1'000);
  Step("expiry");
  Work();
  EXPECT_FALSE(HasWorkspace(id)) << "its time is over";
}

TEST_F(WallClockTest, WhatIsSubmittedByAClockThatIsAheadIsDueAtOnce) {
  here_.clock().JumpWallClock(8 * kHourMs);
  const std::string id = Submit("workspace.create", CreatePayload("dev-1")).workspace;
  Work();
  const auto made = instance_.jobs.FindWorkspace(here_.Within(30'000), kTenant, id);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->actual, "running");
}

TEST_F(WallClockTest, AJumpInMidJobIsNotItsDeadline) {
  hosts_.before_ensure = [&](const Unit&) -> Result<void> {
    here_.clock().JumpWallClock(8 * kHourMs);
    return a4c::Error(a4c::Code::kUnavailable, "try again");
  };
  const Job job = Submit("workspace.create", CreatePayload("dev-1"), kHourMs);
  Step("worker-1");
  const Result<Job> after = instance_.jobs.Get(here_.Within(30'000), kTenant, job.id);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->state, JobState::kPending) << after->reason << ": " << after->message;
  EXPECT_LE(after->due_at - there_.clock().NowMs(), 60'000) << "it is tried again soon";
}

TEST_F(WallClockTest, ALogIsFollowedFromWhereItWouldBeRead) {
  Submit("workspace.create", CreatePayload("dev-1"));
  Work();
  here_.clock().JumpWallClock(8 * kHourMs);
  AskedLogs logs;
  ApiOf api(here_.runtime(), instance_, logs);
  Request request;
  request.method = "GET";
  request.query = {{"since", "10m"}};
  request.params = {{"id", "dev-1"}};
  request.principal = {.tenant = kTenant, .key_id = "mine", .scopes = {"*"}};
  request.deadline_ms = here_.clock().MonotonicMs() + 30'000;
  EXPECT_EQ(GetWorkspaceLogs(api.context, request).status, 200);
  EXPECT_EQ(FollowWorkspaceLogs(api.context, request).status, 426);
  const int64_t since_ms = there_.clock().NowMs() - 10 * 60'000;
  EXPECT_EQ(logs.asked_ms, std::vector<int64_t>({since_ms, since_ms}));
}

}  // namespace
}  // namespace a4cd::testing
