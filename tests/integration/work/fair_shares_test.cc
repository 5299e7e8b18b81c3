// Whose job a worker takes next.
#include "apps/a4cd/work/fair_shares.h"

#include <map>

#include "tests/integration/support/work_fixture.h"

namespace a4cd::testing {
namespace {

class FairSharesTest : public ::testing::Test {
 protected:
  void AddTenant(const std::string& id, int64_t share) {
    const Json body(Json::Object{{"name", id}, {"share", share}});
    ASSERT_TRUE(world_.instance.database.Write(
        world_.Within(), {.changes = {{.ref = {"tenant", {"", id}}, .body = body.ToString()}}}));
  }
  // Serves whoever is first among these, so often; how often each was.
  std::map<std::string, int> Serve(const std::set<std::string>& busy, int times, int64_t ms) {
    std::map<std::string, int> served;
    for (int i = 0; i < times; ++i) {
      const auto order = shares_.Order(world_.Within(), busy);
      EXPECT_TRUE(order);
      for (const std::string& tenant : *order) {
        if (!busy.contains(tenant)) continue;
        shares_.Begin(tenant);
        shares_.End(tenant, ms);
        ++served[tenant];
        break;
      }
    }
    return served;
  }

  World world_;
  FairShares shares_{world_.instance.database, world_.fake.runtime()};
};

TEST_F(FairSharesTest, EqualTenantsAreServedEquallyHoweverMuchOneAsks) {
  AddTenant("a", 1);
  AddTenant("b", 1);
  EXPECT_EQ(Serve({"a", "b"}, 100, 500), (std::map<std::string, int>{{"a", 50}, {"b", 50}}));
}

TEST_F(FairSharesTest, AShareIsOfTheTimeThatWorkTakes) {
  AddTenant("a", 3);
  AddTenant("b", 1);
  EXPECT_EQ(Serve({"a", "b"}, 100, 500), (std::map<std::string, int>{{"a", 75}, {"b", 25}}));
}

TEST_F(FairSharesTest, WhoHadNothingToDoHasSavedNothingUp) {
  AddTenant("a", 1);
  AddTenant("b", 1);
  EXPECT_EQ(Serve({"a"}, 100, 500)["a"], 100);
  const auto both = Serve({"a", "b"}, 20, 500);
  EXPECT_GE(both.at("a"), 9);
  EXPECT_GE(both.at("b"), 9);
}

TEST_F(FairSharesTest, WhoHadNothingDueIsLeftOutForAWhileUnlessItIsSeen) {
  AddTenant("a", 1);
  shares_.Order(world_.Within(), {}).has_value();
  shares_.Idle("a");
  EXPECT_EQ(*shares_.Order(world_.Within(), {}), std::vector<std::string>{"default"});
  EXPECT_EQ(shares_.Order(world_.Within(), {"a"})->size(), 2u);
}

TEST_F(FairSharesTest, ManyTurnsAtOnceAreThoseThatOneAfterAnotherWouldHaveHad) {
  AddTenant("a", 3);
  AddTenant("b", 1);
  const auto order = shares_.Order(world_.Within(), {"a", "b"});
  ASSERT_TRUE(order);
  std::vector<std::string> busy = *order;
  std::erase(busy, "default");
  const int turns = shares_.Turns(busy, 8);
  EXPECT_EQ(turns, busy[0] == "a" ? 6 : 2);
  EXPECT_EQ(shares_.Turns(busy, 1), 1);
  EXPECT_EQ(shares_.Turns({"a"}, 8), 8);
  EXPECT_EQ(shares_.Turns({"nobody"}, 8), 1) << "a tenant that went away meanwhile";
}

// The whole way: one tenant's thousand jobs do not keep another's one waiting.
TEST(Work, ATenantWithManyJobsDoesNotKeepAnotherWaiting) {
  World world;
  for (int i = 0; i < 60; ++i) {
    world.Submit("workspace.create", CreatePayload("dev-" + std::to_string(i), 1 << 20));
  }
  world.fake.clock().Advance(1'000);
  JobDraft draft;
  draft.type = "workspace.create";
  draft.payload = CreatePayload("small", 1 << 20);
  const Principal other{.tenant = "other", .key_id = "key", .scopes = {"*"}};
  const auto write = world.instance.jobs.PrepareCreate(world.Within(), other, draft);
  ASSERT_TRUE(write);
  ASSERT_TRUE(world.instance.database.Write(world.Within(), write->commit));
  ASSERT_TRUE(world.instance.database.Write(
      world.Within(),
      {.changes = {{.ref = {"tenant", {"", "other"}}, .body = R"({"name":"o"})"}}}));
  for (int i = 0; i < 4; ++i) world.Step("worker-1");
  const auto job = world.instance.jobs.Get(world.Within(), "other", write->id);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->state, JobState::kSucceeded) << job->message;
}

}  // namespace
}  // namespace a4cd::testing
