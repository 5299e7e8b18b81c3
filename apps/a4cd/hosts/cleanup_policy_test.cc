#include "apps/a4cd/hosts/cleanup_policy.h"

#include <gtest/gtest.h>

#include <string>

namespace a4cd {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;

CleanupCandidate Image(const std::string& id, int64_t idle_ms, int64_t bytes = 10) {
  return {.item = {.id = id, .names = {id + ":1"}, .bytes = bytes}, .idle_ms = idle_ms};
}
CleanupCandidate Nameless(const std::string& id, int64_t idle_ms, int64_t bytes = 10) {
  CleanupCandidate image = Image(id, idle_ms, bytes);
  image.item.names.clear();
  return image;
}
std::string Going(std::vector<CleanupCandidate> images, int64_t used = 0) {
  std::string ids;
  for (const auto& image : PlanCleanup(std::move(images), {100, used}, {}).going) {
    ids += image.item.id;
  }
  return ids;
}

TEST(CleanupPolicy, OldImagesGoOnAnyDisk) {
  EXPECT_EQ(Going({Image("a", 7 * kDayMs), Image("b", 7 * kDayMs - 1), Nameless("c", kDayMs),
                   Nameless("d", kDayMs - 1)}),
            "ca");
}

TEST(CleanupPolicy, WhatIsUsedOrNamedNeverGoes) {
  CleanupCandidate used = Image("a", 100 * kDayMs);
  used.item.in_use = true;
  CleanupCandidate named = Image("b", 100 * kDayMs);
  named.is_named = true;
  CleanupCandidate volume = Image("c", 100 * kDayMs);
  volume.item.kind = a4c::HostItem::Kind::kVolume;
  EXPECT_EQ(Going({used, named, volume}, 99), "");
}

TEST(CleanupPolicy, APressedDiskGivesUpWhatWasUsedLongestAgoUntilItIsBelowTheLowerMark) {
  const std::vector<CleanupCandidate> images = {Image("a", 2 * kHourMs), Image("b", 5 * kHourMs),
                                                Nameless("c", kHourMs), Image("d", 3 * kHourMs)};
  EXPECT_EQ(Going(images, 84), "") << "below the upper mark";
  EXPECT_EQ(Going(images, 85), "cb") << "85, 75, 65";
  EXPECT_EQ(Going(images, 95), "cbd");
}

TEST(CleanupPolicy, WhatCameAMomentAgoStaysEvenThen) {
  EXPECT_EQ(Going({Image("a", kHourMs - 1), Nameless("b", 0)}, 99), "");
}

TEST(CleanupPolicy, ThePlanSaysWhatItGivesBack) {
  const CleanupPlan plan =
      PlanCleanup({Image("a", 8 * kDayMs, 7), Image("b", 9 * kDayMs, 5)}, {100, 90}, {});
  EXPECT_EQ(plan.bytes, 12);
  EXPECT_TRUE(plan.is_pressed);
  EXPECT_FALSE(PlanCleanup({}, {0, 0}, {}).is_pressed) << "a disk of which nothing is known";
}

}  // namespace
}  // namespace a4cd
