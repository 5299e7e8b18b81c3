#include "apps/a4cd/work/lease_keeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "a4c/memory.h"
#include "a4c/sinks.h"
#include "apps/a4cd/jobs/job_service.h"
#include "apps/a4cd/jobs/kinds.h"
#include "tests/support/fake_clock.h"

namespace a4cd {
namespace {

using a4c::Call;
using a4c::Code;
using a4c::Error;
using a4c::Lease;
using a4c::Result;

Job NewJob() {
  Job job;
  job.type = "command.run";
  job.subject = "s";
  return job;
}

class FakeLeases final : public a4c::Leases {
 public:
  enum class Answer { kGranted, kLost, kError };

  Result<std::vector<a4c::Claimed>> Claim(const Call&, const a4c::ClaimRequest&) override {
    return std::vector<a4c::Claimed>();
  }
  Result<std::vector<bool>> Renew(const Call&, std::span<const Lease> leases, int64_t) override {
    epoch = leases[0].epoch;
    if (++renewals == 1 && on_first) return on_first();
    if (answer == Answer::kError) return Error(Code::kUnavailable, "down");
    return std::vector<bool>{answer == Answer::kGranted};
  }
  Result<std::vector<bool>> Release(const Call&, std::span<const Lease>) override {
    return std::vector<bool>{true};
  }

  std::atomic<Answer> answer{Answer::kGranted};
  std::atomic<int> renewals{0};
  std::atomic<int64_t> epoch{0};  // of the last renewal
  std::function<Result<std::vector<bool>>()> on_first;
};

// A worker that holds a lease of 30 s, on time that the test moves.
class LeaseKeeperTest : public ::testing::Test {
 protected:
  LeaseKeeperTest() {
    EXPECT_TRUE(database_.Open(fake_.Within(1'000), AllCollections()));
    const Job job = NewJob();
    EXPECT_TRUE(
        database_.Write(fake_.Within(1'000), {.changes = {{.ref = job_, .body = JobBody(job)}}}));
  }

  std::stop_token Hold() {
    return keeper_.Hold({.subject = {"job_lease", {"acme", "s"}}, .epoch = 1}, job_,
                        fake_.clock().MonotonicMs(), process_.get_token());
  }
  // Lets time pass, and waits, on the real clock, for what follows from it.
  void Pass(int64_t ms, const std::function<bool()>& follows) {
    fake_.clock().Advance(ms);
    const a4c::Runtime real = a4c::SystemRuntime(a4c::NullLogSink(), a4c::NullMetricSink());
    const std::unique_ptr<a4c::Waiter> waiter = real.threads.NewWaiter();
    const int64_t until_ms = real.clock.MonotonicMs() + 30'000;
    while (!follows() && real.clock.MonotonicMs() < until_ms) {
      a4c::Waiter::Lock lock(*waiter);
      waiter->Wait(real.clock.MonotonicMs() + 2);
    }
    EXPECT_TRUE(follows());
  }
  std::function<bool()> Renewed(int times) {
    return [this, times] { return leases_.renewals == times; };
  }

  a4c::testing::FakeRuntime fake_;
  const std::unique_ptr<a4c::Store> store_ = a4c::NewMemoryStore(fake_.runtime());
  a4c::Database database_{{.store = *store_}, fake_.runtime()};
  FakeLeases leases_;
  const std::unique_ptr<a4c::HostProvider> hosts_ = a4c::NewMemoryHostProvider(fake_.runtime());
  Enrolments enrolments_{database_, *hosts_, fake_.runtime(), 2'000};
  HostTokens tokens_{database_, *hosts_, fake_.runtime()};
  DiskService disks_{database_, *hosts_, enrolments_, fake_.runtime()};
  Reservations reservations_{database_, disks_, fake_.runtime(), {}};
  FairShares shares_{database_, fake_.runtime()};
  WorkContext context_{.runtime = fake_.runtime(),
                       .database = database_,
                       .leases = leases_,
                       .hosts = *hosts_,
                       .enrolments = enrolments_,
                       .tokens = tokens_,
                       .disks = disks_,
                       .reservations = reservations_,
                       .shares = shares_,
                       .secrets = nullptr,
                       .instance = "test"};
  const a4c::RecordRef job_ = JobRef("acme", "job");
  std::stop_source process_;
  LeaseKeeper keeper_{context_};
};

TEST_F(LeaseKeeperTest, ALeaseThatIsRenewedIsNeverStopped) {
  const std::stop_token stop = Hold();
  for (int i = 1; i <= 12; ++i) Pass(10'000, Renewed(i));
  EXPECT_FALSE(stop.stop_requested());
  keeper_.Drop();
}

TEST_F(LeaseKeeperTest, TheWorkIsStoppedBeforeALeaseThatCannotBeRenewedEnds) {
  leases_.answer = FakeLeases::Answer::kError;
  const std::stop_token stop = Hold();
  Pass(10'000, Renewed(1));
  Pass(9'900, Renewed(2));
  EXPECT_FALSE(stop.stop_requested());
  Pass(100, [&] { return stop.stop_requested(); });
}

TEST_F(LeaseKeeperTest, ARaisedLeaseIsRenewedUnderItsNewEpoch) {
  const std::stop_token stop = Hold();
  keeper_.Raise({.subject = {"job_lease", {"acme", "s"}}, .epoch = 2});
  Pass(10'000, Renewed(1));
  EXPECT_EQ(leases_.epoch, 2);
  EXPECT_FALSE(stop.stop_requested());
}

TEST_F(LeaseKeeperTest, WhatARenewalFromBeforeTheRaiseIsToldStopsNothing) {
  leases_.on_first = [this]() -> Result<std::vector<bool>> {
    keeper_.Raise({.subject = {"job_lease", {"acme", "s"}}, .epoch = 2});
    return std::vector<bool>{false};
  };
  const std::stop_token stop = Hold();
  Pass(10'000, Renewed(2));
  EXPECT_EQ(leases_.epoch, 2);
  EXPECT_FALSE(stop.stop_requested());
}

TEST_F(LeaseKeeperTest, AnErrorThatPassesStopsNothing) {
  leases_.answer = FakeLeases::Answer::kError;
  const std::stop_token stop = Hold();
  Pass(10'000, Renewed(1));
  leases_.answer = FakeLeases::Answer::kGranted;
  for (int i = 2; i < 5; ++i) Pass(10'000 - (i == 2 ? 1'000 : 0), Renewed(i));
  EXPECT_FALSE(stop.stop_requested());
  keeper_.Drop();
}

TEST_F(LeaseKeeperTest, ALeaseThatAnotherHasStopsTheWork) {
  leases_.answer = FakeLeases::Answer::kLost;
  const std::stop_token stop = Hold();
  Pass(10'000, [&] { return stop.stop_requested(); });
}

TEST_F(LeaseKeeperTest, ACanceledJobStopsItsWork) {
  const std::stop_token stop = Hold();
  Job canceled = NewJob();
  canceled.state = JobState::kCanceled;
  ASSERT_TRUE(database_.Write(
      fake_.Within(1'000),
      {.changes = {{.ref = job_, .body = JobBody(canceled), .expect = a4c::Expect::Rev(1)}}}));
  EXPECT_FALSE(stop.stop_requested());
  Pass(1'000, [&] { return stop.stop_requested(); });
}

TEST_F(LeaseKeeperTest, TheEndOfTheProcessStopsTheWork) {
  const std::stop_token stop = Hold();
  process_.request_stop();
  EXPECT_TRUE(stop.stop_requested());
  keeper_.Drop();
}

}  // namespace
}  // namespace a4cd
