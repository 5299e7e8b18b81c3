#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreTime : public StoreSuite {
 protected:
  static Call Expired() {
    const Clock& clock = TheRuntime().clock;
    return Call{clock, clock.MonotonicMs() - 1};
  }
  // kTimeout, kCanceled, "not_applied" of either, or what was answered.
  std::string PutWith(const Call& call) {
    const WriteBatch batch{{Put{.ref = Ref("a"), .body = "{}"}}};
    const Result<ApplyAnswer> answer = store().Apply(call, {&batch, 1});
    if (!answer) return std::string(CodeName(answer.error().code()));
    const BatchResult& result = answer->results.at(0);
    if (result.outcome == BatchOutcome::kNotApplied && result.error) {
      return std::string(CodeName(result.error->code()));
    }
    return Told(result);
  }
};

TEST_F(StoreTime, EveryAnswerHasItAndItDoesNotGoBack) {
  const WriteBatch batch{{Put{.ref = Ref("a"), .body = "{}"}}};
  const RecordRef ref = Ref("a");
  int64_t last = 1'600'000'000'000;
  const auto next = [&last](int64_t time) {
    EXPECT_GE(time, last);
    last = time;
  };
  for (int i = 0; i < 20; ++i) {
    const Result<ApplyAnswer> applied = store().Apply(Within(), {&batch, 1});
    ASSERT_TRUE(applied.has_value());
    next(applied->store_time_ms);
    const Result<GetAnswer> got = store().Get(Within(), {&ref, 1});
    ASSERT_TRUE(got.has_value());
    next(got->store_time_ms);
    next(Page({.kind = kind()}).store_time_ms);
  }
}

// Leases are judged by it, and what users see is stamped with it: it is UTC, whatever the zone of a
// server.
TEST_F(StoreTime, ItIsTheTimeOfDayInUtc) {
  constexpr int64_t kMinutesMs = 10 * 60'000;
  const int64_t ours_ms = TheRuntime().clock.NowMs();
  EXPECT_NEAR(static_cast<double>(Page({.kind = kind()}).store_time_ms - ours_ms), 0, kMinutesMs);
}

TEST_F(StoreTime, ItMovesOn) {
  const int64_t first = Page({.kind = kind()}).store_time_ms;
  const Call call = Within();
  while (Page({.kind = kind()}).store_time_ms == first && !call.Expired()) {
  }
  EXPECT_GT(Page({.kind = kind()}).store_time_ms, first);
}

TEST_F(StoreTime, ACallThatHasExpiredDoesNothing) {
  EXPECT_EQ(PutWith(Expired()), "timeout");
  EXPECT_FALSE(Read("a").has_value());
  const RecordRef ref = Ref("a");
  const Result<GetAnswer> got = store().Get(Expired(), {&ref, 1});
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code(), Code::kTimeout);
  const Result<ScanAnswer> scanned = store().Scan(Expired(), {.kind = kind()});
  ASSERT_FALSE(scanned.has_value());
  EXPECT_EQ(scanned.error().code(), Code::kTimeout);
  const Kind fresh{.name = Unique("fresh")};
  const Result<void> ensured = store().Ensure(Expired(), {&fresh, 1});
  ASSERT_FALSE(ensured.has_value());
  EXPECT_EQ(ensured.error().code(), Code::kTimeout);
}

TEST_F(StoreTime, ACallWhoseCallerHasGoneDoesNothing) {
  std::stop_source gone;
  gone.request_stop();
  Call call = Within();
  call.stop = gone.get_token();
  EXPECT_EQ(PutWith(call), "canceled");
  EXPECT_FALSE(Read("a").has_value());
}

}  // namespace
}  // namespace a4c::conformance
