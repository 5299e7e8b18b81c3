#include "tests/conformance/store/leases_suite.h"

namespace a4c::conformance {
namespace {

class StoreLeases : public LeasesSuite {
 protected:
  // What a holder does: writes under its epoch.
  std::string WriteUnder(const Claimed& claimed, const std::string& body) {
    return Apply(
        {Check{.ref = claimed.lease.subject, .quiet = {{"epoch", claimed.lease.epoch}}},
         Put{.ref = claimed.record.ref, .body = body, .expect = Expect::Rev(claimed.record.rev)}});
  }
};

TEST_P(StoreLeases, ThereIsNothingToClaimWhereNothingIsDue) {
  EXPECT_EQ(ClaimTold(Request("h")), "");
  AddWork("a", "s", 1, 1000);
  EXPECT_EQ(ClaimTold(Request("h")), "") << "due at the upper bound is not yet due";
}

TEST_P(StoreLeases, AClaimIsARecordWithALease) {
  AddWork("a", "s", 1, 5);
  const int64_t before = StoreTime();
  const std::vector<Claimed> claimed = Claim(Request("h", 1, 50'000));
  ASSERT_EQ(Told(claimed), "a@s:1");
  EXPECT_EQ(claimed[0].record.rev, 1);
  EXPECT_NE(claimed[0].record.body.find("\"due\":5"), std::string::npos);
  EXPECT_EQ(claimed[0].lease.subject, LeaseRef(work().name, "", "s"));
  EXPECT_GE(claimed[0].lease.until_ms, before + 50'000);
  EXPECT_LE(claimed[0].lease.until_ms, StoreTime() + 50'000);
}

TEST_P(StoreLeases, AHeldSubjectIsSkipped) {
  AddWork("a", "s", 1, 5);
  AddWork("b", "t", 2, 6);
  EXPECT_EQ(ClaimTold(Request("one", 1)), "a@s:1");
  EXPECT_EQ(ClaimTold(Request("two", 1)), "b@t:1");
  EXPECT_EQ(ClaimTold(Request("three")), "");
  EXPECT_EQ(ClaimTold(Request("one")), "") << "by its own holder too";
}

TEST_P(StoreLeases, OfASubjectTheOldestGoesFirst) {
  AddWork("young", "s", 2, 1);
  AddWork("old", "s", 1, 9);
  AddWork("other", "t", 3, 5);
  const std::vector<Claimed> claimed = Claim(Request("h"));
  EXPECT_EQ(Told(claimed), "old@s:1 other@t:1") << "one of a subject, and the oldest";
  EXPECT_EQ(WriteUnder(claimed.at(0), Finished()), "applied 1 2");
  EXPECT_TRUE(Release(claimed[0].lease));
  EXPECT_EQ(ClaimTold(Request("h")), "young@s:2");
}

TEST_P(StoreLeases, AnOldestThatIsNotDueHoldsItsSubjectUp) {
  AddWork("young", "s", 2, 1);
  AddWork("waiting", "s", 1, 5000);
  EXPECT_EQ(ClaimTold(Request("h")), "");
  ClaimRequest later = Request("h");
  later.upper = int64_t{6000};
  EXPECT_EQ(ClaimTold(later), "waiting@s:1");
}

TEST_P(StoreLeases, CountIsABound) {
  for (int i = 0; i < 7; ++i) AddWork("w" + std::to_string(i), "s" + std::to_string(i), i, i);
  EXPECT_EQ(ClaimTold(Request("h", 3)), "w0@s0:1 w1@s1:1 w2@s2:1");
  EXPECT_EQ(ClaimTold(Request("h", 1)), "w3@s3:1");
  EXPECT_EQ(ClaimTold(Request("h", 10)), "w4@s4:1 w5@s5:1 w6@s6:1");
}

TEST_P(StoreLeases, ScopesAreServedInTheirOrder) {
  AddWork("a", "s", 1, 1, "one");
  AddWork("b", "s", 1, 1, "two");
  AddWork("c", "s", 1, 1, "three");
  ClaimRequest request = Request("h", 2);
  request.index = "by_queue";
  request.prefix = {"q"};
  request.scopes = {"two", "empty", "one"};
  const std::vector<Claimed> claimed = Claim(request);
  EXPECT_EQ(Told(claimed), "b@s:1 a@s:1") << "a subject belongs to its scope";
  EXPECT_EQ(claimed.at(0).lease.subject.key.scope, "two");
  EXPECT_EQ(ClaimTold(Request("h")), "c@s:1");
}

TEST_P(StoreLeases, ReleasedIsFreeAtOnceAndTheEpochRises) {
  AddWork("a", "s", 1, 5);
  for (int64_t epoch = 1; epoch <= 4; ++epoch) {
    const std::vector<Claimed> claimed = Claim(Request("h"));
    ASSERT_EQ(Told(claimed), "a@s:" + std::to_string(epoch));
    EXPECT_TRUE(Release(claimed[0].lease));
    EXPECT_FALSE(Release(claimed[0].lease)) << "it was not ours any more";
    EXPECT_FALSE(Renew(claimed[0].lease, 1000));
  }
}

TEST_P(StoreLeases, AnExpiredLeaseIsTakenOverAndItsHolderCannotWrite) {
  AddWork("a", "s", 1, 5);
  const std::vector<Claimed> first = Claim(Request("slow", 1, 50));
  ASSERT_EQ(Told(first), "a@s:1");
  const std::vector<Claimed> second = ClaimSoon(Request("quick"));
  ASSERT_EQ(Told(second), "a@s:2!");
  EXPECT_GE(StoreTime(), first[0].lease.until_ms);
  EXPECT_EQ(WriteUnder(first[0], Finished()), "conflict 0:quiet(epoch)=2");
  EXPECT_FALSE(Renew(first[0].lease, 60'000));
  EXPECT_FALSE(Release(first[0].lease));
  EXPECT_EQ(ClaimTold(Request("third")), "") << "the second still holds it";
  EXPECT_EQ(WriteUnder(second[0], Finished()), "applied 1 2");
}

TEST_P(StoreLeases, ARenewedLeaseOutlivesItsFirstLength) {
  AddWork("a", "s", 1, 5);
  const std::vector<Claimed> claimed = Claim(Request("h", 1, 1'000));
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_TRUE(Renew(claimed[0].lease, 600'000));
  EXPECT_TRUE(Renew(claimed[0].lease, 600'000)) << "and again";
  const Call call = Within(60'000);
  while (StoreTime() <= claimed[0].lease.until_ms && !call.Expired()) {
    EXPECT_EQ(ClaimTold(Request("other")), "");
  }
  EXPECT_EQ(ClaimTold(Request("other")), "");
}

TEST_P(StoreLeases, AnExpiredLeaseThatNobodyTookIsRenewed) {
  AddWork("a", "s", 1, 5);
  const std::vector<Claimed> claimed = Claim(Request("h", 1, 1));
  ASSERT_EQ(claimed.size(), 1u);
  const Call call = Within(60'000);
  while (StoreTime() <= claimed[0].lease.until_ms && !call.Expired()) {
  }
  EXPECT_TRUE(Renew(claimed[0].lease, 600'000));
  EXPECT_EQ(ClaimTold(Request("other")), "");
}

TEST_P(StoreLeases, ManyAreRenewedAndReleasedAtOnce) {
  for (int i = 0; i < 3; ++i) AddWork("w" + std::to_string(i), "s" + std::to_string(i), i, i);
  const std::vector<Claimed> claimed = Claim(Request("h"));
  ASSERT_EQ(claimed.size(), 3u);
  std::vector<Lease> all = {claimed[0].lease, claimed[1].lease, claimed[2].lease};
  EXPECT_TRUE(Release(all[1]));
  all.push_back({LeaseRef(work().name, "", "never claimed"), 1, 0});
  const auto renewed = leases().Renew(Within(), all, 1000);
  ASSERT_TRUE(renewed.has_value()) << renewed.error().ToString();
  EXPECT_EQ(*renewed, (std::vector<bool>{true, false, true, false}));
  const auto released = leases().Release(Within(), all);
  ASSERT_TRUE(released.has_value()) << released.error().ToString();
  EXPECT_EQ(*released, (std::vector<bool>{true, false, true, false}));
}

TEST_P(StoreLeases, TombstonesAreNoWork) {
  AddWork("a", "s", 1, 5);
  EXPECT_EQ(
      Apply({Put{
          .ref = Work("a"), .body = R"({"subject":"s","created":1,"due":5})", .tombstone = true}}),
      "applied 2");
  EXPECT_EQ(ClaimTold(Request("h")), "");
}

INSTANTIATE_TEST_SUITE_P(OfCore, StoreLeases, testing::Values(LeasesOf::kCore));
INSTANTIATE_TEST_SUITE_P(OfStore, StoreLeases, testing::Values(LeasesOf::kStore));

}  // namespace
}  // namespace a4c::conformance
