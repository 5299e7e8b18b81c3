#include "apps/a4cd/placement/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace a4cd {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

Server Empty(const std::string& id, int64_t disk_gib = 100) {
  return {.id = id, .total = {disk_gib * kGiB, 16 * kGiB, 8000}, .committed = {}};
}

PlacementRequest Want(int64_t disk_gib) {
  return {.amounts = {disk_gib * kGiB, kGiB, 1000}};
}

TEST(Placement, TheDiskThatWouldBeTheLeastUsedGetsIt) {
  std::vector<Server> servers = {Empty("a"), Empty("b"), Empty("c", 400)};
  servers[0].committed.disk_bytes = 10 * kGiB;
  servers[1].disk_other_bytes = 30 * kGiB;
  servers[2].committed.disk_bytes = 60 * kGiB;
  // a: 20/100, b: 40/100, c: 70/400
  EXPECT_EQ(Place(servers, Want(10), {}, 0).server->id, "c");
}

TEST(Placement, EqualServersFillEvenly) {
  std::vector<Server> servers;
  for (int i = 0; i < 8; ++i) servers.push_back(Empty("s" + std::to_string(i)));
  for (uint64_t tie = 0; tie < 83; ++tie) {
    const Placement placement = Place(servers, Want(1), {}, tie * 7919);
    ASSERT_NE(placement.server, nullptr);
    const auto at = static_cast<size_t>(placement.server - servers.data());
    servers[at].committed.disk_bytes += kGiB;
  }
  const auto [least, most] = std::ranges::minmax(
      servers, {}, [](const Server& server) { return server.committed.disk_bytes; });
  EXPECT_LE(most.committed.disk_bytes - least.committed.disk_bytes, kGiB);
}

TEST(Placement, EqualsAreTakenInADrawnOrder) {
  std::vector<Server> servers;
  for (int i = 0; i < 8; ++i) servers.push_back(Empty("s" + std::to_string(i)));
  std::set<std::string> chosen;
  for (uint64_t tie = 0; tie < 8; ++tie) chosen.insert(Place(servers, Want(1), {}, tie).server->id);
  EXPECT_EQ(chosen.size(), 8u);
}

TEST(Placement, NearTheLeastIsOneRequestAboveItAndNoMore) {
  std::vector<Server> servers;
  for (int used = 0; used < 4; ++used) {
    servers.push_back(Empty("s" + std::to_string(used)));
    servers.back().committed.disk_bytes = (5 + used) * kGiB;
  }
  const auto chosen = [&](Among among) {
    std::set<std::string> ids;
    for (uint64_t tie = 0; tie < 12; ++tie) {
      ids.insert(Place(servers, Want(1), {}, tie, among).server->id);
    }
    return ids;
  };
  EXPECT_EQ(chosen(Among::kLeast), std::set<std::string>({"s0"}));
  EXPECT_EQ(chosen(Among::kNearLeast), std::set<std::string>({"s0", "s1"}));
}

TEST(Placement, WhatOthersHaveJustChosenRanksButNeitherRefusesNorRaisesWhatMayBe) {
  std::vector<Server> servers = {Empty("a"), Empty("b")};
  servers[1].committed.disk_bytes = kGiB;
  servers[0].disk_pending_bytes = 2 * kGiB;
  const Placement placement = Place(servers, Want(1), {}, 0);
  EXPECT_EQ(placement.server->id, "b");
  EXPECT_EQ(placement.most.disk_bytes, 2 * kGiB);  // one above the 1 that a would have
  servers.pop_back();
  servers[0].disk_pending_bytes = 95 * kGiB;
  EXPECT_EQ(Place(servers, Want(1), {}, 0).server->id, "a");
}

TEST(Placement, TheBestOfManyAreExplained) {
  std::vector<Server> servers;
  for (int used = 9; used >= 0; --used) {
    servers.push_back(Empty("s" + std::to_string(used)));
    servers.back().committed.disk_bytes = used * kGiB;
  }
  const std::vector<Candidate> best = Explain(servers, Want(1), {}, 2);
  ASSERT_EQ(best.size(), 2u);
  EXPECT_EQ(best[0].server->id, "s0");
  EXPECT_EQ(best[1].server->id, "s1");
}

TEST(Placement, AServerMayGetOneRequestMoreThanTheLeastUsedWouldHaveAndNeverMoreThanItHas) {
  std::vector<Server> servers = {Empty("a"), Empty("b", 300)};
  servers[0].committed.disk_bytes = 7 * kGiB;
  servers[1].committed.disk_bytes = 21 * kGiB;
  servers[1].disk_other_bytes = 3 * kGiB;
  // a would be at 10 %, b at 9 %, and with one more at 10 %.
  const Placement placement = Place(servers, Want(3), {}, 0);
  EXPECT_EQ(placement.server->id, "b");
  EXPECT_EQ(placement.most, (Amounts{27 * kGiB, 16 * kGiB, 8000}));
  servers.pop_back();
  servers[0].committed.disk_bytes = 86 * kGiB;
  EXPECT_EQ(Place(servers, Want(3), {}, 0).most.disk_bytes, 90 * kGiB);
}

TEST(Placement, EachReasonIsToldAndNothingIsPlacedAgainstIt) {
  const auto rejection = [](auto change, PlacementRequest request = Want(10)) {
    Server server = Empty("a");
    change(server, request);
    return Judge(server, request, {}).rejection;
  };
  using Request = PlacementRequest;
  EXPECT_EQ(rejection([](Server&, Request&) {}), Rejection::kNone);
  EXPECT_EQ(rejection([](Server&, Request& r) { r.server = "b"; }), Rejection::kOtherServer);
  EXPECT_EQ(rejection([](Server&, Request& r) { r.constraints.labels["gpu"] = "yes"; }),
            Rejection::kLabels);
  EXPECT_EQ(rejection([](Server&, Request& r) { r.constraints.arch = "arm64"; }), Rejection::kArch)
      << "one that has not said what it is";
  EXPECT_EQ(rejection([](Server&, Request& r) { r.amounts.disk_bytes = 91 * kGiB; }),
            Rejection::kTooSmall);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.total.disk_bytes = 0; }), Rejection::kTooSmall);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.reachable = false; }), Rejection::kUnreachable);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.age_ms = 120'001; }), Rejection::kStale);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.cordoned = true; }), Rejection::kCordoned);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.committed.disk_bytes = 81 * kGiB; }),
            Rejection::kDisk);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.disk_other_bytes = 81 * kGiB; }),
            Rejection::kDisk);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.inodes_total = 100, s.inodes_used = 91; }),
            Rejection::kInodes)
      << "files would not fit, so that every start there would fail";
  EXPECT_EQ(rejection([](Server& s, Request&) { s.committed.memory_bytes = 16 * kGiB; }),
            Rejection::kMemory);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.committed.cpu_millis = 7001; }), Rejection::kCpu);
  EXPECT_EQ(rejection([](Server& s, Request&) { s.starts_in_flight = 8; }), Rejection::kStarts);
}

TEST(Placement, ConstraintsLeaveServersThatAreAndHaveWhatIsAskedFor) {
  std::vector<Server> servers = {Empty("a"), Empty("b"), Empty("c", 400)};
  for (Server& server : servers) server.arch = "amd64";
  servers[1].labels = {{"gpu", "yes"}, {"zone", "b"}};
  servers[2].arch = "arm64";
  PlacementRequest request = Want(10);
  request.constraints = {.arch = "amd64", .labels = {{"gpu", "yes"}}};
  EXPECT_EQ(Place(servers, request, {}, 0).server->id, "b") << "though the disk of c is emptier";
  request.constraints.labels["gpu"] = "no";
  const Placement none = Place(servers, request, {}, 0);
  EXPECT_EQ(none.Summary(), "none of 3 servers fits: 1 arch, 2 labels");
  EXPECT_FALSE(none.CanEverFit());
  EXPECT_TRUE(none.LacksOnlyLabels());
}

TEST(Placement, AServerThatWasSilentEverSinceMayBeAnything) {
  Server server{.id = "a", .total = {}, .committed = {}, .reachable = false};
  PlacementRequest request = Want(10);
  request.constraints.arch = "amd64";
  EXPECT_EQ(Judge(server, request, {}).rejection, Rejection::kUnreachable);
  server.total = Empty("a").total;
  EXPECT_EQ(Judge(server, request, {}).rejection, Rejection::kUnreachable);
  server.arch = "arm64";
  EXPECT_EQ(Judge(server, request, {}).rejection, Rejection::kArch);
}

TEST(Placement, ARefusalSaysWhyAndWhetherWaitingHelps) {
  std::vector<Server> servers = {Empty("a"), Empty("b"), Empty("c")};
  servers[0].cordoned = true;
  servers[1].committed.disk_bytes = 89 * kGiB;
  servers[2].reachable = false;
  const Placement later = Place(servers, Want(10), {}, 0);
  EXPECT_EQ(later.server, nullptr);
  EXPECT_TRUE(later.CanEverFit());
  EXPECT_EQ(later.Summary(), "none of 3 servers fits: 1 unreachable, 1 cordoned, 1 disk");
  const Placement never = Place(servers, Want(95), {}, 0);
  EXPECT_FALSE(never.CanEverFit());
  EXPECT_EQ(never.Summary(), "none of 3 servers fits: 3 too_small");
  EXPECT_EQ(Place({}, Want(1), {}, 0).Summary(), "there are no servers");
  PlacementRequest elsewhere = Want(1);
  elsewhere.server = "nope";
  const Placement unknown = Place(servers, elsewhere, {}, 0);
  EXPECT_EQ(unknown.Summary(), "there is no server nope");
  EXPECT_FALSE(unknown.CanEverFit());
  elsewhere.server = "a";
  EXPECT_EQ(Place(servers, elsewhere, {}, 0).Summary(),
            "none of 3 servers fits: 2 other_server, 1 cordoned");
}

TEST(Placement, ExplainListsTheBestFirstAndThoseThatDoNotFitLast) {
  std::vector<Server> servers = {Empty("a"), Empty("b"), Empty("c")};
  servers[0].cordoned = true;
  servers[1].committed.disk_bytes = 50 * kGiB;
  const auto candidates = Explain(servers, Want(10), {});
  ASSERT_EQ(candidates.size(), 3u);
  EXPECT_EQ(candidates[0].server->id, "c");
  EXPECT_EQ(candidates[1].server->id, "b");
  EXPECT_EQ(candidates[2].rejection, Rejection::kCordoned);
}

}  // namespace
}  // namespace a4cd
