// An instance whose wall clock is hours from the store's: whose time is up is the store's to say.
#include <map>
#include <string>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

constexpr int64_t kHourMs = 3'600'000;

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

}  // namespace
}  // namespace a4cd::testing
