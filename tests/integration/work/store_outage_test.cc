// The store is away for a moment while a job is at work: what has been done is not done again, and
// its log is whole.
#include <atomic>
#include <thread>

#include "tests/integration/support/work_fixture.h"
#include "tests/support/faulty_store.h"

namespace a4cd::testing {
namespace {

// The next so many writes meet no store; of the one after so many the answer is lost.
class Outage final : public a4c::testing::FaultPolicy {
 public:
  a4c::testing::FaultDraw Next(std::string_view call) override {
    if (call != "Store.Apply") return {};
    if (away > 0 && away-- > 0) return {.fault = a4c::testing::Fault::kError};
    if (until_lost > 0 && --until_lost == 0) return {.fault = a4c::testing::Fault::kUnknownAfter};
    return {};
  }

  std::atomic<int> away = 0;
  std::atomic<int> until_lost = 0;
};

class StoreOutage : public ::testing::TestWithParam<int> {
 protected:
  std::string Submitted() {
    JobDraft draft;
    draft.type = "host.cleanup";
    draft.payload = Json::Object{{"host", "one"}};
    const auto job = Submit(fake_.runtime(), instance_, draft);
    EXPECT_TRUE(job) << job.error().ToString();
    return job ? job->id : "";
  }

  // A worker's step, while time is moved on for whatever waits.
  void Work(const JobStep& step) {
    const auto loops = instance_.worker.NewWorkLoops(step);
    std::atomic<bool> is_done = false;
    std::jthread worker([&] {
      EXPECT_TRUE(loops[0]->Step(fake_.Within(kLongMs)));
      is_done = true;
    });
    while (!is_done) {
      fake_.clock().Advance(10);
      std::this_thread::yield();
    }
  }

  static constexpr int64_t kLongMs = 86'400'000;  // however far time is moved on
  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> memory_ = a4c::NewMemoryStore(fake_.runtime());
  Outage outage_;
  a4c::testing::FaultyStore store_{*memory_, outage_, fake_.runtime()};
  const std::unique_ptr<a4c::HostProvider> hosts_ =
      a4c::NewMemoryHostProvider(fake_.runtime(), kOneServer);
  Instance instance_{fake_.runtime(), store_, *hosts_, {.work = {.lease_ms = kLongMs}}};
};

TEST_P(StoreOutage, WhatHasBeenDoneIsNotDoneAgainAndIsToldWhole) {
  const std::string job = Submitted();
  int runs = 0;
  Work([&](JobRun&, JobLog& log) -> Result<Outcome> {
    ++runs;
    log.Append("begun\n");
    outage_.away = GetParam();
    fake_.clock().Advance(1'000);
    log.Append("at it\n");
    log.Append("done\n");
    return Outcome::Succeeded({});
  });
  EXPECT_EQ(runs, 1);
  const auto after = instance_.jobs.Get(fake_.Within(30'000), kTenant, job);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->state, JobState::kSucceeded);
  EXPECT_EQ(after->attempts, 1);
  const auto log = instance_.jobs.Logs(fake_.Within(30'000), kTenant, job, 0);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->text, "begun\nat it\ndone\n");
}

// Of the commits after the claim: the attempt has begun, and it has ended.
TEST_P(StoreOutage, AnAttemptCountsOnceWhicheverAnswerIsLost) {
  const std::string job = Submitted();
  outage_.until_lost = 1 + GetParam();
  Work([&](JobRun&, JobLog&) -> Result<Outcome> { return Outcome::Succeeded({}); });
  const auto after = instance_.jobs.Get(fake_.Within(30'000), kTenant, job);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->state, JobState::kSucceeded);
  EXPECT_EQ(after->attempts, 1);
}

// The first is a piece of the log, then its rest, then the end.
INSTANTIATE_TEST_SUITE_P(Writes, StoreOutage, ::testing::Range(1, 6));

}  // namespace
}  // namespace a4cd::testing
