// Placements beside others that reserve at the same time.
#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

// Another instance reserves between the choice and the commit.
TEST(Reservations, WhoWasOvertakenChoosesAgainOnTheFiguresThatCameOut) {
  const a4c::MemoryHostOptions two{.servers = {{.id = "a", .disk_total_bytes = 10 * kGiB},
                                               {.id = "b", .disk_total_bytes = 10 * kGiB}}};
  for (const int others : {1, 2}) {
    World world(two);
    Reservations& reservations = world.instance.worker.reservations();
    PlacementRequest request{.amounts = reservations.WithDefaults({5 * kGiB})};
    std::vector<std::string> chosen;
    const auto reserved = reservations.Reserve(
        world.Within(), kTenant, "mine", request, [&](const Decision& decision) {
          chosen.push_back(decision.server);
          if (chosen.size() > static_cast<size_t>(others)) return a4c::Commit{};
          PlacementRequest same = request;
          same.server = decision.server;
          const auto theirs =
              reservations.Reserve(world.Within(), kTenant, "theirs-" + decision.server, same,
                                   [](const Decision&) { return a4c::Commit{}; });
          EXPECT_TRUE(theirs && theirs->outcome == Reserved::Outcome::kPlaced);
          return a4c::Commit{};
        });
    ASSERT_TRUE(reserved);
    ASSERT_EQ(chosen.size(), 2u);
    EXPECT_NE(chosen[0], chosen[1]);
    EXPECT_EQ(reserved->outcome,
              others == 1 ? Reserved::Outcome::kPlaced : Reserved::Outcome::kNoCapacity);
    EXPECT_EQ(world.Committed("a"), 5 * kGiB);
    EXPECT_EQ(world.Committed("b"), 5 * kGiB);
  }
}

// Others reserve on the server that was chosen, which has room for all.
TEST(Reservations, OneOtherOnTheSameServerIsNoReasonToChooseAgainAndTwoAre) {
  for (const int others : {1, 2}) {
    World world({.servers = {{.id = "a"}, {.id = "b"}}});
    Reservations& reservations = world.instance.worker.reservations();
    PlacementRequest request{.amounts = reservations.WithDefaults({kGiB})};
    std::vector<std::string> chosen;
    const auto reserved = reservations.Reserve(
        world.Within(), kTenant, "mine", request, [&](const Decision& decision) {
          chosen.push_back(decision.server);
          PlacementRequest same = request;
          same.server = decision.server;
          for (int i = 0; i < others && chosen.size() == 1; ++i) {
            const auto theirs =
                reservations.Reserve(world.Within(), kTenant, "theirs-" + std::to_string(i), same,
                                     [](const Decision&) { return a4c::Commit{}; });
            EXPECT_TRUE(theirs && theirs->outcome == Reserved::Outcome::kPlaced);
          }
          return a4c::Commit{};
        });
    ASSERT_TRUE(reserved);
    EXPECT_EQ(reserved->outcome, Reserved::Outcome::kPlaced);
    EXPECT_EQ(chosen.size(), static_cast<size_t>(others));
    EXPECT_EQ(world.Committed(chosen[0]), 2 * kGiB);
    EXPECT_EQ(chosen.back() == chosen.front(), others == 1);
  }
}

TEST(Reservations, WhoWasOvertakenTwiceReadsAllFiguresAnew) {
  const std::vector<std::string> servers = {"a", "b", "c", "d", "e"};
  a4c::MemoryHostOptions five{.servers = {}};
  for (const std::string& id : servers) five.servers.push_back({.id = id});
  World world(five);
  Reservations& reservations = world.instance.worker.reservations();
  const PlacementRequest request{.amounts = reservations.WithDefaults({kGiB})};
  const auto others_everywhere = [&] {
    for (PlacementRequest same = request; const std::string& server : servers) {
      same.server = server;
      for (int i = 0; i < 3; ++i) {
        const auto theirs =
            reservations.Reserve(world.Within(), kTenant, server + std::to_string(i), same,
                                 [](const Decision&) { return a4c::Commit{}; });
        EXPECT_TRUE(theirs && theirs->outcome == Reserved::Outcome::kPlaced);
      }
    }
  };
  int choices = 0;
  const auto reserved =
      reservations.Reserve(world.Within(), kTenant, "mine", request, [&](const Decision&) {
        if (++choices == 1) others_everywhere();
        return a4c::Commit{};
      });
  ASSERT_TRUE(reserved);
  EXPECT_EQ(reserved->outcome, Reserved::Outcome::kPlaced);
  EXPECT_EQ(choices, 3);
}

}  // namespace
}  // namespace a4cd::testing
