#include <gtest/gtest.h>

#include "a4c/host_provider.h"

namespace a4c {
namespace {

Unit Good() {
  return Unit{.host = "server-1", .name = "ws-1", .spec = {.command = {"true"}}};
}

bool Refused(const Unit& unit, std::string_view word) {
  const Result<void> result = CheckUnit(unit);
  return !result && result.error().code() == Code::kInvalid &&
         result.error().message().find(word) != std::string::npos;
}

TEST(CheckUnit, NamesAreHeldToTheirForm) {
  EXPECT_TRUE(CheckUnitName("ab"));
  EXPECT_TRUE(CheckUnitName("A1_b.c-d"));
  EXPECT_TRUE(CheckUnitName(std::string(128, 'a')));
  for (const std::string& name :
       {std::string(), std::string("a"), std::string(129, 'a'), std::string(".."),
        std::string("../etc"), std::string("a/b"), std::string("a b"), std::string("-ab"),
        std::string("a\0b", 3), std::string("\xc3\xa4rger"), std::string("ab\n")}) {
    EXPECT_FALSE(CheckUnitName(name)) << name;
  }
}

TEST(CheckUnit, LabelsOfTheProvidersAreRefused) {
  for (const char* key : {"a4c.cluster", "a4c.unit", "a4c.epoch", "a4c.labels"}) {
    Unit unit = Good();
    unit.labels = {{key, "x"}};
    EXPECT_TRUE(Refused(unit, key));
  }
  Unit unit = Good();
  unit.labels = {{"a4c.workspace", "\"\\\n\t=,\xc3\xa4"}};
  EXPECT_TRUE(CheckUnit(unit));
}

TEST(CheckUnit, BoundsAreHeld) {
  Unit labels = Good();
  labels.labels = {{"k", std::string(4097, 'v')}};
  EXPECT_TRUE(Refused(labels, "labels.k"));
  labels.labels = {{std::string(257, 'k'), "v"}};
  EXPECT_TRUE(Refused(labels, "labels"));
  labels.labels.clear();
  for (int i = 0; i < 65; ++i) labels.labels[std::to_string(i)] = "";
  EXPECT_TRUE(Refused(labels, "64"));
  Unit command = Good();
  command.spec.command.assign(257, "x");
  EXPECT_TRUE(Refused(command, "256"));
  command.spec.command = {"echo", std::string(128u << 10, 'x')};
  EXPECT_TRUE(Refused(command, "128 KiB"));
}

TEST(CheckUnit, WhatNoSystemCallTakesIsRefused) {
  Unit unit = Good();
  unit.spec.command = {"echo", std::string("a\0b", 3)};
  EXPECT_TRUE(Refused(unit, "NUL"));
  unit = Good();
  unit.spec.env = {{"A=B", "c"}};
  EXPECT_TRUE(Refused(unit, "env"));
  unit = Good();
  unit.spec.command = {""};
  EXPECT_TRUE(Refused(unit, "command"));
  unit = Good();
  unit.labels = {{"k", "\xff"}};
  EXPECT_TRUE(Refused(unit, "UTF-8"));
  for (const char* dir : {"tmp", "/a/../b", "/.."}) {
    unit = Good();
    unit.spec.working_dir = dir;
    EXPECT_TRUE(Refused(unit, "working_dir")) << dir;
  }
  unit = Good();
  unit.spec.pids = -1;
  EXPECT_TRUE(Refused(unit, "spec.pids"));
  unit = Good();
  unit.epoch = -1;
  EXPECT_TRUE(Refused(unit, "epoch"));
}

TEST(Fence, OnlyWhatIsNoLowerAndOfTheSameClaimIsAdmitted) {
  EXPECT_TRUE(Admit("ws", {7, "one"}, {7, "one"}));
  EXPECT_TRUE(Admit("ws", {8, "two"}, {7, "one"}));
  EXPECT_TRUE(Admit("ws", 7, {7, "one"})) << "a claim that is not told is as good as any";
  EXPECT_TRUE(Admit("ws", {7, "one"}, 7));
  for (const Fence& fence : {Fence(6, "one"), Fence(7, "two")}) {
    const auto refused = Admit("ws", fence, {7, "one"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kConflict);
    EXPECT_NE(refused.error().message().find('7'), std::string::npos) << "names the highest";
  }
}

TEST(Fence, ClaimsAreNames) {
  EXPECT_TRUE(CheckFence(0));
  EXPECT_TRUE(CheckFence({7, "0123abcd-x"}));
  EXPECT_FALSE(CheckFence(-1));
  EXPECT_FALSE(CheckFence({7, "a b"}));
  EXPECT_FALSE(CheckFence({7, "line\nend"}));
}

}  // namespace
}  // namespace a4c
