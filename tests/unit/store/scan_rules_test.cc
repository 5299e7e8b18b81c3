#include "a4c/scan_rules.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sample_kind.h"

namespace a4c {
namespace {

ScanRequest ByName() {
  return {.kind = "sample", .index = "by_name", .scope = "s"};
}
ScanRequest ByDue() {
  return {.kind = "sample", .index = "by_due"};
}

std::string Refusal(const ScanRequest& request) {
  static const Kinds kinds = SampleKinds();
  const Result<ScanPlan> plan = CheckScan(AnyCall(), kinds, request);
  if (plan) return "";
  EXPECT_EQ(plan.error().code(), Code::kInvalid);
  return plan.error().message();
}

TEST(CheckScan, PlansGoodRequests) {
  EXPECT_EQ(Refusal({.kind = "sample"}), "");
  EXPECT_EQ(Refusal({.kind = "sample", .scope = "s"}), "");
  EXPECT_EQ(Refusal(ByName()), "");
  const Kinds kinds = SampleKinds();
  ScanRequest request = ByDue();
  request.prefix = {int64_t{5}};
  request.lower = 0.5;
  const Result<ScanPlan> plan = CheckScan(AnyCall(), kinds, request);
  ASSERT_TRUE(plan.has_value()) << plan.error().ToString();
  ASSERT_NE(plan->bounded, nullptr);
  EXPECT_EQ(plan->bounded->name, "ratio");
}

TEST(CheckScan, RefusesWhatDoesNotFit) {
  const auto with = [](ScanRequest request, auto change) {
    change(request);
    return Refusal(request);
  };
  EXPECT_NE(Refusal({.kind = "unknown"}), "");
  EXPECT_NE(Refusal({.kind = "sample", .index = "unknown"}), "");
  EXPECT_NE(Refusal({.kind = "sample", .index = "by_name"}), "") << "needs a scope";
  EXPECT_NE(with(ByDue(), [](auto& r) { r.scope = "s"; }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.scope = std::string("\0", 1); }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.limit = 0; }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.limit = 10'001; }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.prefix = {int64_t{1}}; }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.prefix = {Scalar()}; }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.prefix = {"\xff"}; }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.prefix = {"a", "b"}; }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.upper = true; }), "");
  EXPECT_NE(with(ByName(), [](auto& r) { r.prefix = {"a"}, r.lower = "b"; }), "");
  EXPECT_NE(Refusal({.kind = "sample", .lower = "b"}), "") << "the order of ids has no bounds";
  EXPECT_NE(with(ByDue(), [](auto& r) { r.prefix = {int64_t{1}}, r.lower = std::nan(""); }), "");
}

TEST(ScanCursor, LeadsBackToItsPosition) {
  const Kinds kinds = SampleKinds();
  const std::vector<ScanPosition> positions = {
      {{int64_t{-5}, 0.25}, {"", "a"}},
      {{INT64_MIN, Scalar()}, {"scope", std::string(256, 'x')}},
      {{INT64_MAX, -1e300}, {"s\xC3\xA9", "%'\"$1\\"}}};
  for (const ScanPosition& position : positions) {
    ScanRequest request = ByDue();
    request.after = ScanCursor(request, position);
    EXPECT_EQ(request.after.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                              "0123456789-_"),
              std::string::npos);
    const Result<ScanPlan> plan = CheckScan(AnyCall(), kinds, request);
    ASSERT_TRUE(plan.has_value()) << plan.error().ToString();
    EXPECT_EQ(plan->after, position);
  }
}

TEST(ScanCursor, OfAnotherRequestIsRefused) {
  const ScanPosition place{{"n"}, {"s", "a"}};
  const auto refused = [&](auto change) {
    ScanRequest request = ByName();
    request.after = ScanCursor(request, place);
    change(request);
    return !Refusal(request).empty();
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_FALSE(refused([](auto& r) { r.upper = "z", r.limit = 5; })) << "bounds may move on";
  EXPECT_TRUE(refused([](auto& r) { r.scope = "t"; }));
  EXPECT_TRUE(refused([](auto& r) { r.prefix = {"n"}; }));
  EXPECT_TRUE(refused([](auto& r) { r.descending = true; }));
  EXPECT_TRUE(refused([](auto& r) { r.index = "by_count"; }));
  EXPECT_TRUE(refused([](auto& r) { r.index = ""; }));
}

// Its mark is no secret.
TEST(ScanCursor, ThatLeadsOutOfItsRequestIsRefused) {
  const auto refused = [](ScanRequest request, const ScanPosition& place) {
    request.after = ScanCursor(request, place);
    return !Refusal(request).empty();
  };
  EXPECT_TRUE(refused(ByName(), {{"n"}, {"t", "a"}}));
  EXPECT_TRUE(refused({.kind = "sample", .scope = "s"}, {{}, {"t", "a"}}));
  ScanRequest prefixed = ByName();
  prefixed.prefix = {"n"};
  EXPECT_FALSE(refused(prefixed, {{"n"}, {"s", "a"}}));
  EXPECT_TRUE(refused(prefixed, {{"m"}, {"s", "a"}}));
  EXPECT_TRUE(refused(prefixed, {{"n"}, {"t", "a"}}));
  EXPECT_FALSE(refused({.kind = "sample"}, {{}, {"t", "a"}})) << "of all scopes";
}

TEST(ScanCursor, DamagedIsRefused) {
  const ScanRequest request = ByName();
  const std::string cursor = ScanCursor(request, {{"name"}, {"s", "a"}});
  for (size_t i = 0; i < cursor.size(); ++i) {
    ScanRequest cut = request;
    cut.after = cursor.substr(0, i);
    if (i > 0) {
      EXPECT_NE(Refusal(cut), "") << i;
    }
    cut.after = cursor;
    cut.after[i] = '=';
    EXPECT_NE(Refusal(cut), "") << i;
  }
  ScanRequest longer = request;
  longer.after = cursor + "AAAA";
  EXPECT_NE(Refusal(longer), "");
  longer.after = ScanCursor(request, {{int64_t{5}}, {"s", "a"}});
  EXPECT_NE(Refusal(longer), "") << "a value of another type";
  longer.after = ScanCursor(request, {{Scalar()}, {"s", "a"}});
  EXPECT_NE(Refusal(longer), "") << "a record that cannot be in the index";
  longer.after = ScanCursor(request, {{"n"}, {"s", ""}});
  EXPECT_NE(Refusal(longer), "") << "an id that cannot be";
}

TEST(PositionOf, TakesBodyAndQuietValues) {
  const Kinds kinds = SampleKinds();
  const Result<ScanPlan> plan =
      CheckScan(AnyCall(), kinds, {.kind = "sample", .index = "by_count", .scope = "s"});
  ASSERT_TRUE(plan.has_value());
  const Record record{.ref = Sample("a", "s"), .quiet = {{"count", int64_t{4}}}};
  EXPECT_EQ(PositionOf(*plan, record, {{"count", int64_t{9}}}),
            (ScanPosition{{int64_t{4}}, {"s", "a"}}));
}

}  // namespace
}  // namespace a4c
