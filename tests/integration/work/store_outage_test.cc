// The store is away for a moment while a job is at work: what has been done is not done again, and
// its log is whole.
#include <atomic>
#include <thread>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// Refuses so many writes.
class AwayStore final : public a4c::Store {
 public:
  explicit AwayStore(a4c::Store& inner) : inner_(inner) {}

  Result<void> Ensure(const Call& call, std::span<const a4c::Kind> kinds) override {
    return inner_.Ensure(call, kinds);
  }
  Result<a4c::ApplyAnswer> Apply(const Call& call,
                                 std::span<const a4c::WriteBatch> batches) override {
    if (away > 0 && away-- > 0) return a4c::Error(a4c::Code::kUnavailable, "no primary");
    return inner_.Apply(call, batches);
  }
  Result<a4c::GetAnswer> Get(const Call& call, std::span<const RecordRef> refs) override {
    return inner_.Get(call, refs);
  }
  Result<a4c::ScanAnswer> Scan(const Call& call, const a4c::ScanRequest& request) override {
    return inner_.Scan(call, request);
  }

  std::atomic<int> away = 0;

 private:
  a4c::Store& inner_;
};

class StoreOutage : public ::testing::TestWithParam<int> {
 protected:
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
  AwayStore store_{*memory_};
  const std::unique_ptr<a4c::HostProvider> hosts_ =
      a4c::NewMemoryHostProvider(fake_.runtime(), kOneServer);
  Instance instance_{fake_.runtime(), store_, *hosts_, {.work = {.lease_ms = kLongMs}}};
};

TEST_P(StoreOutage, WhatHasBeenDoneIsNotDoneAgainAndIsToldWhole) {
  JobDraft draft;
  draft.type = "host.cleanup";
  draft.payload = Json::Object{{"host", "one"}};
  const auto job = Submit(fake_.runtime(), instance_, draft);
  ASSERT_TRUE(job) << job.error().ToString();
  int runs = 0;
  Work([&](JobRun&, JobLog& log) -> Result<Outcome> {
    ++runs;
    log.Append("begun\n");
    store_.away = GetParam();
    fake_.clock().Advance(1'000);
    log.Append("at it\n");
    log.Append("done\n");
    return Outcome::Succeeded({});
  });
  EXPECT_EQ(runs, 1);
  const auto after = instance_.jobs.Get(fake_.Within(30'000), kTenant, job->id);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->state, JobState::kSucceeded);
  EXPECT_EQ(after->attempts, 1);
  const auto log = instance_.jobs.Logs(fake_.Within(30'000), kTenant, job->id, 0);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->text, "begun\nat it\ndone\n");
}

// The first is a piece of the log, then its rest, then the end.
INSTANTIATE_TEST_SUITE_P(Writes, StoreOutage, ::testing::Range(1, 6));

}  // namespace
}  // namespace a4cd::testing
