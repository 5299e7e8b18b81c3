// Claims of many records at once, which read the oldest of their subjects in one statement.
#include "a4c/leases.h"

#include <set>

#include "tests/test_server.h"

namespace a4c::postgres {
namespace {

Kind Work() {
  return {.name = "work",
          .fields = {{.name = "subject"},
                     {.name = "created", .type = FieldType::kTime},
                     {.name = "due", .type = FieldType::kTime}},
          .indexes = {{.name = "by_due", .fields = {"due"}},
                      {.name = "by_subject", .fields = {"subject", "created"}}},
          .serial_key_field = "subject",
          .serial_index = "by_subject"};
}

class PostgresLeases : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Open({Work(), LeaseKind(Work())});
    leases_ = store_->As<Leases>();
    ASSERT_NE(leases_, nullptr);
  }

  void Add(const std::string& scope, const std::string& id, const std::string& body,
           bool tombstone = false) {
    EXPECT_EQ(
        Apply({Put{.ref = {"work", {scope, id}}, .body = body, .tombstone = tombstone}}).outcome,
        BatchOutcome::kApplied);
  }
  // The ids, each with the epoch of its subject.
  std::set<std::string> Claim(const std::string& scope, int count) {
    const auto claimed = leases_->Claim(Within(), {.kind = Work(),
                                                   .index = "by_due",
                                                   .scopes = {scope},
                                                   .upper = int64_t{100},
                                                   .count = count,
                                                   .holder = "h",
                                                   .lease_ms = 60'000});
    EXPECT_TRUE(claimed.has_value()) << claimed.error().ToString();
    std::set<std::string> told;
    if (!claimed) return told;
    for (const Claimed& one : *claimed) {
      told.insert(one.record.ref.key.id + "@" + one.lease.subject.key.id + ":" +
                  std::to_string(one.lease.epoch));
    }
    return told;
  }

  Leases* leases_ = nullptr;
};

TEST_F(PostgresLeases, AClaimOfManyTakesOfEachSubjectOfItsScopeTheOldestThatLives) {
  Add("s1", "young", R"({"subject":"x","created":2,"due":1})");
  Add("s1", "old", R"({"subject":"x","created":1,"due":2})");
  Add("s2", "elsewhere", R"({"subject":"x","created":0,"due":1})");
  Add("s1", "gone", R"({"subject":"y","created":1,"due":1})", true);
  Add("s1", "living", R"({"subject":"y","created":5,"due":1})");
  Add("s1", "timeless", R"({"subject":"z","due":1})");
  Add("s1", "timed", R"({"subject":"z","created":1,"due":1})");
  Add("s1", "waiting", R"({"subject":"w","created":1,"due":500})");
  Add("s1", "behind", R"({"subject":"w","created":2,"due":1})");
  EXPECT_EQ(Claim("s1", 10), (std::set<std::string>{"old@x:1", "living@y:1", "timeless@z:1"}));
  EXPECT_EQ(Claim("s1", 10), std::set<std::string>{}) << "all are held";
  EXPECT_EQ(Claim("s2", 10), std::set<std::string>{"elsewhere@x:1"});
}

TEST_F(PostgresLeases, PastThoseThatItReadAheadAClaimGoesOn) {
  // The first ones are of subjects whose oldest record is not due.
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(100 + i);
    const bool is_blocked = i < 10;
    if (is_blocked) Add("s", "a" + name, R"({"subject":")" + name + R"(","created":1,"due":500})");
    Add("s", "b" + name, R"({"subject":")" + name + R"(","created":2,"due":)" + name + "}");
  }
  const auto claimed = leases_->Claim(Within(), {.kind = Work(),
                                                 .index = "by_due",
                                                 .scopes = {"s"},
                                                 .upper = int64_t{400},
                                                 .count = 3,
                                                 .holder = "h",
                                                 .lease_ms = 60'000});
  ASSERT_TRUE(claimed.has_value()) << claimed.error().ToString();
  ASSERT_EQ(claimed->size(), 3u);
  EXPECT_EQ(claimed->at(0).record.ref.key.id, "b110");
}

}  // namespace
}  // namespace a4c::postgres
