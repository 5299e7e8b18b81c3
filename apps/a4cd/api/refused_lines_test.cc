#include "apps/a4cd/api/refused_lines.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace a4cd {
namespace {

int Taken(RefusedLines& lines, const std::string& remote, int tries) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += lines.Take(remote) ? 1 : 0;
  return taken;
}

TEST(RefusedLines, TheFloodOfOneAddressHidesNoOther) {
  a4c::testing::FakeClock clock;
  RefusedLines lines(clock);
  EXPECT_EQ(Taken(lines, "192.0.2.1", 500), 10);
  EXPECT_EQ(Taken(lines, "192.0.2.2", 3), 3);
  EXPECT_EQ(lines.TakeLeftOut(), 0) << "the minute is not over";
  clock.Advance(60'000);
  EXPECT_EQ(lines.TakeLeftOut(), 490);
  EXPECT_EQ(lines.TakeLeftOut(), 0) << "it was told";
  EXPECT_EQ(Taken(lines, "192.0.2.1", 500), 10) << "who goes on is seen each minute";
}

TEST(RefusedLines, OfManyAddressesThereIsABoundToo) {
  a4c::testing::FakeClock clock;
  RefusedLines lines(clock);
  int taken = 0;
  for (int i = 0; i < 200; ++i) taken += Taken(lines, "198.51.100." + std::to_string(i), 1);
  EXPECT_EQ(taken, 60);
  clock.Advance(60'000);
  EXPECT_EQ(lines.TakeLeftOut(), 140);
}

}  // namespace
}  // namespace a4cd
