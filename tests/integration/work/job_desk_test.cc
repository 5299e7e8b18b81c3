// How workers come by their jobs and give them back.
#include "apps/a4cd/work/job_desk.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "a4c/leases.h"
#include "a4c/sinks.h"
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// A store whose leases are watched, and refuse a release if they are told so.
class WatchedStore final : public a4c::Store, private a4c::Leases {
 public:
  WatchedStore(a4c::Store& inner, const a4c::Runtime& runtime)
      : inner_(inner),
        leases_(a4c::NewLeases(inner)),
        waiter_(runtime.threads.NewWaiter()),
        runtime_(runtime) {}

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
    if (request.index != "by_due") return inner_.Scan(call, request);
    ++looks;
    A4C_TRY(a4c::ScanAnswer answer, inner_.Scan(call, request));
    if (broken) answer.records.insert(answer.records.begin(), *broken);
    return answer;
  }

  std::optional<a4c::Record> broken;  // stands before all that is due
  int64_t claim_ms = 0;               // that a claim takes
  bool refuse_release = false;
  bool refuse_claim = false;
  int refuse_each = 0;  // of so many claims the last; 0: none
  std::atomic<int> most_at_once = 0;
  std::atomic<size_t> claimed = 0;
  std::atomic<int> looks = 0;  // reads of what is due

 protected:
  void* Extension(std::string_view name) override {
    return name == a4c::Leases::kExtension ? static_cast<a4c::Leases*>(this) : nullptr;
  }

 private:
  Result<std::vector<a4c::Claimed>> Claim(const Call& call,
                                          const a4c::ClaimRequest& request) override {
    const bool is_last = refuse_each > 0 && ++claims_ % refuse_each == 0;
    if (refuse_claim || is_last) return a4c::Error(a4c::Code::kUnavailable, "no claims now");
    most_at_once = std::max<int>(most_at_once, request.count);
    if (claim_ms > 0) {
      const a4c::Waiter::Lock lock(*waiter_);
      waiter_->Wait(runtime_.clock.MonotonicMs() + claim_ms);
    }
    auto answer = leases_->Claim(call, request);
    if (answer) claimed += answer->size();
    return answer;
  }
  Result<std::vector<bool>> Renew(const Call& call, std::span<const a4c::Lease> leases,
                                  int64_t lease_ms) override {
    return leases_->Renew(call, leases, lease_ms);
  }
  Result<std::vector<bool>> Release(const Call& call, std::span<const a4c::Lease> leases) override {
    if (refuse_release) return a4c::Error(a4c::Code::kUnavailable, "not now");
    return leases_->Release(call, leases);
  }

  a4c::Store& inner_;
  std::atomic<int> claims_ = 0;
  const std::unique_ptr<a4c::Leases> leases_;
  const std::unique_ptr<a4c::Waiter> waiter_;
  const a4c::Runtime runtime_;
};

JobDraft BuildOf(const std::string& tag) {
  JobDraft draft;
  draft.type = "image.build";
  draft.payload = Json::Object{{"tag", tag}, {"context", "AAAA"}};
  return draft;
}

// On the fake clock, one step at a time; jobs do nothing.
class JobDeskTest : public ::testing::Test {
 protected:
  JobDeskTest() {
    for (auto& loop : instance_.worker.NewWorkLoops(
             [](JobRun&, JobLog&) { return Outcome::Succeeded(Json::Object{}); })) {
      workers_.push_back(std::move(loop));
    }
  }
  JobState StateOf(const Job& job) {
    const Result<Job> now = instance_.jobs.Get(fake_.Within(1'000), kTenant, job.id);
    EXPECT_TRUE(now);
    return now ? now->state : JobState::kCanceled;
  }

  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> memory_ = a4c::NewMemoryStore(fake_.runtime());
  WatchedStore store_{*memory_, fake_.runtime()};
  const std::unique_ptr<a4c::HostProvider> hosts_ = NewMemoryHostProvider(fake_.runtime(), {});
  Instance instance_{fake_.runtime(), store_, *hosts_, {}};
  std::vector<std::unique_ptr<a4c::Loop>> workers_;
};

TEST_F(JobDeskTest, AnAttemptThatEndsFreesItsSubjectInTheSameCommit) {
  const Result<Job> first = Submit(fake_.runtime(), instance_, BuildOf("one"));
  const Result<Job> second = Submit(fake_.runtime(), instance_, BuildOf("one"));
  ASSERT_TRUE(first && second);
  store_.refuse_release = true;
  ASSERT_TRUE(workers_[0]->Step(fake_.Within(1'000)));
  EXPECT_EQ(StateOf(*first), JobState::kSucceeded);
  ASSERT_TRUE(workers_[0]->Step(fake_.Within(1'000)));
  EXPECT_EQ(StateOf(*second), JobState::kSucceeded) << "without waiting for the lease to expire";
}

TEST_F(JobDeskTest, WhatWasClaimedForAWorkerThatHasToStopIsFreeAtOnce) {
  const Result<Job> job = Submit(fake_.runtime(), instance_, BuildOf("one"));
  ASSERT_TRUE(job);
  std::stop_source stop;
  stop.request_stop();
  ASSERT_TRUE(workers_[0]->Step(Call::Within(fake_.runtime().clock, 1'000, stop.get_token())));
  EXPECT_EQ(StateOf(*job), JobState::kPending);
  ASSERT_TRUE(workers_[1]->Step(fake_.Within(1'000)));
  EXPECT_EQ(StateOf(*job), JobState::kSucceeded);
}

TEST_F(JobDeskTest, AWorkerThatHadAJobLooksForTheNextOneAtOnceAndAnIdleOneLater) {
  ASSERT_TRUE(Submit(fake_.runtime(), instance_, BuildOf("one")));
  EXPECT_EQ(*workers_[0]->Step(fake_.Within(1'000)), 0);
  EXPECT_GT(*workers_[0]->Step(fake_.Within(1'000)), 0);
}

// A value of another type stands in no index, and so before all others.
TEST_F(JobDeskTest, AJobThatSomebodyHasBrokenIsNoMatterToTheOthers) {
  store_.broken =
      a4c::Record{.ref = JobRef(kTenant, "broken"),
                  .rev = 2,
                  .body = R"({"type":"image.build","queue_priority":4,"due_at":"tomorrow"})"};
  EXPECT_GT(*workers_[0]->Step(fake_.Within(1'000)), 0) << "nothing is due";
  const Result<Job> job = Submit(fake_.runtime(), instance_, BuildOf("one"));
  ASSERT_TRUE(job);
  const Result<int64_t> step = workers_[0]->Step(fake_.Within(1'000));
  ASSERT_TRUE(step) << step.error().ToString();
  EXPECT_EQ(StateOf(*job), JobState::kSucceeded);
}

TEST_F(JobDeskTest, ThatNothingIsDueCostsOneRead) {
  EXPECT_GT(*workers_[0]->Step(fake_.Within(1'000)), 0);
  EXPECT_EQ(store_.looks, 1);
}

// Twenty-five that wait are more than one look shows.
TEST_F(JobDeskTest, JobsThatWaitForTheirTimeHideNoneOfALowerPriority) {
  for (int i = 0; i < 25; ++i) {
    JobDraft waiting = BuildOf("later:" + std::to_string(i));
    waiting.priority = 9;
    waiting.delay_ms = 60'000;
    ASSERT_TRUE(Submit(fake_.runtime(), instance_, waiting));
  }
  JobDraft low = BuildOf("low");
  low.priority = 0;
  const Result<Job> lowest = Submit(fake_.runtime(), instance_, low);
  const Result<Job> middle = Submit(fake_.runtime(), instance_, BuildOf("middle"));
  ASSERT_TRUE(lowest && middle);
  ASSERT_EQ(*workers_[0]->Step(fake_.Within(1'000)), 0);
  EXPECT_EQ(StateOf(*middle), JobState::kSucceeded);
  EXPECT_EQ(store_.looks, 3) << "one for each priority that has a job, and none after the last";
  ASSERT_EQ(*workers_[0]->Step(fake_.Within(1'000)), 0);
  EXPECT_EQ(StateOf(*lowest), JobState::kSucceeded);
  EXPECT_GT(*workers_[0]->Step(fake_.Within(1'000)), 0) << "the others are not due";
}

TEST_F(JobDeskTest, WhoseClaimFailsIsToldWhy) {
  ASSERT_TRUE(Submit(fake_.runtime(), instance_, BuildOf("one")));
  store_.refuse_claim = true;
  const Result<int64_t> step = workers_[0]->Step(fake_.Within(1'000));
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().message(), "no claims now");
  store_.refuse_claim = false;
  EXPECT_EQ(*workers_[0]->Step(fake_.Within(1'000)), 0);
}

// Eight workers on the machine's clock, and jobs of two priorities that do nothing.
class JobDeskCrowd : public ::testing::Test {
 protected:
  static constexpr size_t kJobs = 300;
  static constexpr int64_t kPatienceMs = 240'000;

  JobDeskCrowd() { store_.claim_ms = 2; }

  void WorkThemAll() {
    for (size_t i = 0; i < kJobs; ++i) {
      JobDraft draft = BuildOf("nothing:" + std::to_string(i));
      draft.priority = i % 2 == 0 ? 5 : 6;
      ASSERT_TRUE(Submit(runtime_, instance_, draft));
    }
    auto loops = instance_.worker.NewWorkLoops([this](JobRun& run, JobLog&) {
      const std::lock_guard lock(mutex_);
      ++times_[run.job().id];
      ++done_;
      return Outcome::Succeeded(Json::Object{});
    });
    const Call patience = Call::Within(runtime_.clock, kPatienceMs);
    std::vector<std::unique_ptr<a4c::Thread>> threads;
    for (const auto& loop : loops) {
      threads.push_back(runtime_.threads.Start("worker", [&](const std::stop_token&) {
        while (done_ < kJobs && !patience.Expired()) {
          if (!loop->Step(patience)) ++failed_;
        }
      }));
    }
  }
  void ExpectEachDoneOnce() {
    EXPECT_EQ(times_.size(), kJobs);
    EXPECT_TRUE(std::ranges::all_of(times_, [](const auto& job) { return job.second == 1; }));
    EXPECT_GT(store_.most_at_once, 1);
  }

  static WorkerOptions Eight() {
    WorkerOptions options;
    options.work.workers = 8;
    return options;
  }

  const a4c::Runtime runtime_ = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
  const std::unique_ptr<a4c::Store> memory_ = a4c::NewMemoryStore(runtime_);
  WatchedStore store_{*memory_, runtime_};
  const std::unique_ptr<a4c::HostProvider> hosts_ = a4c::NewMemoryHostProvider(runtime_, {});
  Instance instance_{runtime_, store_, *hosts_, Eight()};
  std::mutex mutex_;
  std::map<std::string, int> times_;  // under mutex_
  std::atomic<size_t> done_ = 0;
  std::atomic<int> failed_ = 0;
};

TEST_F(JobDeskCrowd, WorkersThatAreFreeTogetherAreServedByOneClaimAndEachJobIsDoneOnce) {
  WorkThemAll();
  ExpectEachDoneOnce();
  EXPECT_EQ(failed_, 0);
}

TEST_F(JobDeskCrowd, WhatWasClaimedBeforeAClaimFailedIsNotLost) {
  store_.refuse_each = 3;
  WorkThemAll();
  ExpectEachDoneOnce();
  EXPECT_EQ(store_.claimed, kJobs) << "what is lost is claimed again once its lease has expired";
}

}  // namespace
}  // namespace a4cd::testing
