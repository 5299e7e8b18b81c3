#include "apps/a4cd/api/tenant_places.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace a4cd {
namespace {

class TenantPlacesTest : public testing::Test {
 protected:
  using Place = std::unique_ptr<TenantPlaces::Place>;

  // 200, or what a refusal says.
  int Enter(const std::string& tenant, Place& place, int64_t size = 1) {
    const std::optional<Problem> full = places_.Enter(tenant, place, size);
    EXPECT_EQ(place != nullptr, !full);
    if (!full) return 200;
    hint_ = full->hint;
    EXPECT_EQ(full->type, "exhausted");
    EXPECT_GT(full->retry_after_s, 0);
    return full->status;
  }

  int64_t told_ = 0;
  std::string hint_;
  TenantPlaces places_{{.name = "some_things", .max = 3, .per_tenant_max = 2},
                       [this](int64_t count) { told_ = count; }};
};

TEST_F(TenantPlacesTest, ATenantLeavesSomeToTheOthers) {
  Place a1, a2, a3, b;
  EXPECT_EQ(Enter("a", a1), 200);
  EXPECT_EQ(Enter("a", a2), 200);
  EXPECT_EQ(Enter("a", a3), 429);
  EXPECT_NE(hint_.find("api.some_things_per_tenant_max"), std::string::npos) << hint_;
  EXPECT_EQ(Enter("b", b), 200);
  EXPECT_EQ(told_, 3);
}

TEST_F(TenantPlacesTest, TheInstanceHasABoundToo) {
  Place a1, a2, b, c;
  EXPECT_EQ(Enter("a", a1), 200);
  EXPECT_EQ(Enter("a", a2), 200);
  EXPECT_EQ(Enter("b", b), 200);
  EXPECT_EQ(Enter("c", c), 503);
  EXPECT_NE(hint_.find("api.some_things_max"), std::string::npos) << hint_;
}

TEST_F(TenantPlacesTest, WhatGoesMakesRoom) {
  Place a1, a2, a3;
  EXPECT_EQ(Enter("a", a1), 200);
  EXPECT_EQ(Enter("a", a2), 200);
  a1.reset();
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(Enter("a", a3), 200);
}

TEST_F(TenantPlacesTest, OneMayCountForSeveral) {
  Place a1, a2, b;
  EXPECT_EQ(Enter("a", a1, 3), 429);
  EXPECT_EQ(Enter("a", a1, 2), 200);
  EXPECT_EQ(Enter("a", a2), 429);
  EXPECT_EQ(Enter("b", b, 2), 503);
  a1.reset();
  EXPECT_EQ(told_, 0);
  EXPECT_EQ(Enter("a", a2, 2), 200);
}

}  // namespace
}  // namespace a4cd
