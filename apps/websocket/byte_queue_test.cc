#include "apps/websocket/byte_queue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/seeded_random.h"

namespace a4c_websocket {
namespace {

TEST(ByteQueue, GivesWhatWasAddedInItsOrderHoweverItIsTaken) {
  a4c::testing::SeededRandom random(7);
  ByteQueue queue;
  std::string added;
  std::string taken;
  const auto take = [&](size_t count) {
    taken += queue.view().substr(0, count);
    queue.Take(count);
  };
  for (int round = 0; round < 2'000; ++round) {
    std::string piece(random.Next() % 100, '\0');
    for (char& byte : piece) byte = static_cast<char>(random.Next());
    queue.Append(piece);
    added += piece;
    take(std::min<size_t>(random.Next() % 100, queue.size()));
    ASSERT_EQ(queue.size(), added.size() - taken.size());
    ASSERT_EQ(queue.empty(), queue.view().empty());
  }
  take(queue.size());
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(taken == added);
}

}  // namespace
}  // namespace a4c_websocket
