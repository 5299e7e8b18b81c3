#include <array>
#include <atomic>

#include "tests/conformance/store/leases_suite.h"

namespace a4c::conformance {
namespace {

class StoreLeasesRaces : public LeasesSuite {};

// Each piece of work is done once, in its subject's order, and of no subject two at a time.
TEST_P(StoreLeasesRaces, SixteenWorkOnEachSubjectOneAtATime) {
  constexpr int kSubjects = 6;
  constexpr int kEach = 4;
  for (int number = 0; number < kEach; ++number) {
    for (int subject = 0; subject < kSubjects; ++subject) {
      AddWork(std::to_string(subject) + "-" + std::to_string(number), std::to_string(subject),
              number, kEach - number);
    }
  }
  std::array<std::atomic<bool>, kSubjects> busy = {};
  std::array<std::atomic<int>, kSubjects> done = {};
  std::atomic<int> left = kSubjects * kEach;
  const Call call = Within(240'000);
  OnLeases(16, [&](Leases& leases, Store& store, int thread) {
    while (left > 0 && !call.Expired()) {
      for (const Claimed& claimed : Claim(leases, Request("holder" + std::to_string(thread), 2))) {
        const std::string& id = claimed.record.ref.key.id;
        const size_t subject = static_cast<size_t>(id[0] - '0');
        EXPECT_FALSE(busy.at(subject).exchange(true)) << "two hold " << id;
        EXPECT_EQ(id, claimed.lease.subject.key.id + "-" + std::to_string(done.at(subject)));
        EXPECT_FALSE(claimed.took_over);
        const BatchResult written = ApplySurely(
            store, {{Check{.ref = claimed.lease.subject, .quiet = {{"epoch", claimed.lease.epoch}}},
                     Put{.ref = claimed.record.ref,
                         .body = Finished(),
                         .expect = Expect::Rev(claimed.record.rev)}}});
        EXPECT_EQ(conformance::Told(written), "applied 1 2");
        ++done.at(subject);
        busy.at(subject) = false;
        EXPECT_TRUE(Release(leases, claimed.lease));
        --left;
      }
    }
  });
  EXPECT_EQ(left, 0);
}

// Leases so short that they expire under their holders: whatever is claimed, its epoch is new.
TEST_P(StoreLeasesRaces, NoEpochIsGivenTwice) {
  constexpr int64_t kEpochs = 400;
  AddWork("a", "s", 1, 5);
  std::array<std::atomic<int>, kEpochs> given = {};
  std::atomic<bool> enough = false;
  const Call call = Within(240'000);
  OnLeases(8, [&](Leases& leases, Store&, int thread) {
    int64_t last = 0;
    for (int round = 0; !enough && !call.Expired(); ++round) {
      for (const Claimed& claimed : Claim(leases, Request(std::to_string(thread), 1, 1))) {
        EXPECT_GT(claimed.lease.epoch, last) << "an epoch never falls";
        last = claimed.lease.epoch;
        if (last >= kEpochs) continue;
        ++given.at(static_cast<size_t>(last));
        if (round % 3 == 0) Renew(leases, claimed.lease, 1);
        if (round % 3 == 1) Release(leases, claimed.lease);
        enough = last >= 40;
      }
    }
  });
  EXPECT_TRUE(enough);
  for (const auto& times : given) EXPECT_LE(times, 1);
}

INSTANTIATE_TEST_SUITE_P(OfCore, StoreLeasesRaces, testing::Values(LeasesOf::kCore));
INSTANTIATE_TEST_SUITE_P(OfStore, StoreLeasesRaces, testing::Values(LeasesOf::kStore));

}  // namespace
}  // namespace a4c::conformance
