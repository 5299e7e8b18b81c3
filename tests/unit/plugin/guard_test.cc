#include "a4c/digests.h"
#include "a4c/leases.h"
#include "tests/unit/plugin/plugin_test.h"

namespace a4c::testing {
namespace {

using GuardedStore = PluginTest;

std::vector<WriteBatch> TwoBatches() {
  const WriteBatch batch{{Put{.ref = {.kind = "photo", .key = {"", "1"}}, .body = "{}"}}};
  return {batch, batch};
}

// An extension that core has never heard of.
struct Granary {
  static constexpr std::string_view kExtension = "mine.granary";
};

TEST_F(GuardedStore, AnswersComeThrough) {
  const auto store = MakeStore();
  const auto applied = store->Apply(Within(1000), TwoBatches());
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->results[1].outcome, BatchOutcome::kApplied);
  EXPECT_TRUE(store->Ensure(Within(1000), {}));
  EXPECT_EQ(store->Get(Within(1000), std::vector<RecordRef>(3))->records.size(), 3u);
  EXPECT_EQ(store->Scan(Within(1000), {.kind = "photo", .limit = 2})->records.size(), 2u);
}

TEST_F(GuardedStore, AThrowInAReadIsInternalAndNamesPluginAndCall) {
  EXPECT_TRUE(FailsWith(MakeStore("throw", "Get")->Get(Within(1000), {}), Code::kInternal,
                        "store-good: Get threw an exception: the disk is on fire"));
  EXPECT_TRUE(FailsWith(MakeStore("throw", "Scan")->Scan(Within(1000), {}), Code::kInternal,
                        "store-good: Scan threw"));
  EXPECT_TRUE(FailsWith(MakeStore("throw", "Ensure")->Ensure(Within(1000), {}), Code::kInternal,
                        "store-good: Ensure threw"));
}

TEST_F(GuardedStore, AThrowOfNoExceptionTypeIsCaughtToo) {
  EXPECT_TRUE(FailsWith(MakeStore("throw_oddity", "Get")->Get(Within(1000), {}), Code::kInternal,
                        "store-good: Get threw an exception: something that is no std::exception"));
}

TEST_F(GuardedStore, AThrowInAWriteHasAnUnknownOutcome) {
  EXPECT_TRUE(FailsWith(MakeStore("throw", "Apply")->Apply(Within(1000), TwoBatches()),
                        Code::kUnknownOutcome, "store-good: Apply threw"));
}

TEST_F(GuardedStore, TooFewResultsOfAWriteAreAnUnknownOutcome) {
  EXPECT_TRUE(FailsWith(MakeStore("too_few", "Apply")->Apply(Within(1000), TwoBatches()),
                        Code::kUnknownOutcome,
                        "store-good: Apply answered 2 batches with 1 result"));
}

TEST_F(GuardedStore, TooFewRecordsAreInternal) {
  EXPECT_TRUE(FailsWith(MakeStore("too_few", "Get")->Get(Within(1000), std::vector<RecordRef>(3)),
                        Code::kInternal, "store-good: Get answered 3 refs with 2 records"));
}

TEST_F(GuardedStore, APageAboveItsLimitIsInternal) {
  EXPECT_TRUE(
      FailsWith(MakeStore("too_many", "Scan")->Scan(Within(1000), {.kind = "photo", .limit = 5}),
                Code::kInternal, "a limit of 5 with 6 records"));
}

// They would be another tenant's.
TEST_F(GuardedStore, RecordsThatWereNotAskedForAreInternal) {
  EXPECT_TRUE(
      FailsWith(MakeStore()->Scan(Within(1000), {.kind = "photo", .scope = "pier", .limit = 5}),
                Code::kInternal, "store-good: Scan answered a scope with a record of another one"));
  EXPECT_TRUE(MakeStore()->Scan(Within(1000), {.kind = "photo", .scope = "", .limit = 5}));
  EXPECT_TRUE(
      FailsWith(MakeStore("other_record", "Get")->Get(Within(1000), std::vector<RecordRef>(3)),
                Code::kInternal, "store-good: Get answered a ref with a record of another"));
}

TEST_F(GuardedStore, ABatchWhoseResultMakesNoSenseIsUnknownAndTheOthersKeepTheirs) {
  for (const char* mode : {"no_value", "no_failure", "wrong_op", "no_error", "no_outcome"}) {
    const auto answer = MakeStore(mode, "Apply")->Apply(Within(1000), TwoBatches());
    ASSERT_TRUE(answer) << mode;
    EXPECT_EQ(answer->results[0].outcome, BatchOutcome::kApplied) << mode;
    EXPECT_EQ(answer->results[1].outcome, BatchOutcome::kUnknown) << mode;
    ASSERT_TRUE(answer->results[1].error) << mode;
    EXPECT_TRUE(answer->results[1].error->unknown_outcome()) << mode;
  }
}

TEST_F(GuardedStore, ExtensionsAreGuardedToo) {
  const auto throws = MakeStore("throw", "Leases.Claim");
  ASSERT_NE(throws->As<Leases>(), nullptr);
  EXPECT_EQ(throws->As<Leases>(), throws->As<Leases>());
  EXPECT_TRUE(FailsWith(throws->As<Leases>()->Claim(Within(1000), {}), Code::kUnknownOutcome,
                        "store-good: Leases.Claim threw"));
  EXPECT_TRUE(FailsWith(MakeStore("throw", "Digests.Sums")->As<Digests>()->Sums(Within(1000), {}),
                        Code::kInternal, "store-good: Digests.Sums threw"));
  EXPECT_TRUE(
      FailsWith(MakeStore("throw", "Digests.Rows")->As<Digests>()->Rows(Within(1000), {}, {}),
                Code::kInternal, "store-good: Digests.Rows threw"));
}

TEST_F(GuardedStore, LeasesAnswerForEachLease) {
  const std::vector<Lease> leases(2);
  EXPECT_TRUE(FailsWith(
      MakeStore("too_few", "Leases.Renew")->As<Leases>()->Renew(Within(1000), leases, 1000),
      Code::kUnknownOutcome, "Leases.Renew answered 2 leases with 1 result"));
  EXPECT_TRUE(
      FailsWith(MakeStore("too_few", "Leases.Release")->As<Leases>()->Release(Within(1000), leases),
                Code::kUnknownOutcome, "Leases.Release answered 2 leases with 1 result"));
  EXPECT_TRUE(
      FailsWith(MakeStore("too_many", "Leases.Claim")->As<Leases>()->Claim(Within(1000), {}),
                Code::kUnknownOutcome, "a claim of 1 with 2 records"));
  EXPECT_TRUE(MakeStore()->As<Leases>()->Renew(Within(1000), leases, 1000));
}

TEST_F(GuardedStore, AnExtensionThatCoreDoesNotKnowIsAbsent) {
  EXPECT_EQ(MakeStore()->As<Granary>(), nullptr);
}

TEST_F(GuardedStore, AThrowWhileAskedForAnExtensionMeansAbsent) {
  EXPECT_EQ(MakeStore("throw", "As")->As<Leases>(), nullptr);
}

class TimedCalls : public GuardedStore {
 protected:
  size_t Observed(const std::string& call, const std::string& code) {
    return fake.metrics()
        .ObservationsOf("a4c_plugin_call_seconds{plugin=\"store-good\",call=\"" + call +
                        "\",code=\"" + code + "\"}")
        .size();
  }
  double Errors(const std::string& code) {
    return fake.metrics().CountOf(
        "a4c_plugin_call_errors_total{plugin=\"store-good\",call=\"Get\",code=\"" + code + "\"}");
  }
};

TEST_F(TimedCalls, ACallIsTimedWithItsCode) {
  EXPECT_FALSE(MakeStore("fail", "Get")->Get(Within(1000), {}));
  EXPECT_FALSE(MakeStore("throw", "Get")->Get(Within(1000), {}));
  EXPECT_TRUE(MakeStore()->Get(Within(1000), {}));  // the first that is quick
  EXPECT_EQ(Observed("Get", "ok"), 1u);
  EXPECT_EQ(Observed("Get", "unavailable"), 1u);
  EXPECT_EQ(Observed("Get", "internal"), 1u);
  EXPECT_GE(Observed("factory", "ok"), 1u);
}

TEST_F(TimedCalls, OfQuickCallsOneInSixteenIsTimedAndEveryErrorIsCounted) {
  const auto store = MakeStore();
  for (int i = 0; i < 1 + 2 * 16; ++i) EXPECT_TRUE(store->Get(Within(1000), {}));
  EXPECT_EQ(Observed("Get", "ok"), 3u);
  const auto failing = MakeStore("fail", "Get");
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(failing->Get(Within(1000), {}));
  EXPECT_EQ(Errors("unavailable"), 20);
}

TEST_F(TimedCalls, ACallThatIsNotQuickIsTimedEachTime) {
  static auto* metrics = new RecordingMetrics;  // sinks live until exit
  const Runtime runtime = SystemRuntime(NullLogSink(), *metrics);
  PluginHost real_time(runtime, EvilOptions());
  const auto store = *real_time.MakeStore("store-good", Misbehaving("slow", "Get"));
  const Call call = Call::Within(runtime.clock, 60'000);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(store->Get(call, {}));
  const auto observed = metrics->ObservationsOf(
      "a4c_plugin_call_seconds{plugin=\"store-good\",call=\"Get\",code=\"ok\"}");
  EXPECT_EQ(observed.size(), 20u);
}

}  // namespace
}  // namespace a4c::testing
