#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/test_server.h"
#include "write/postgres_group.h"
#include "write/postgres_lanes.h"

namespace a4c::postgres {
namespace {

Catalog TheCatalog() {
  Catalog catalog;
  catalog.kinds["thing"] = Kind{.name = "thing"};
  catalog.kinds["named"] =
      Kind{.name = "named",
           .fields = {{.name = "name"}},
           .indexes = {{.name = "by_name", .fields = {"name"}, .unique = true}}};
  return catalog;
}

Op Create(const std::string& id) {
  return Put{.ref = {"thing", {"", id}}, .body = "{}", .expect = Expect::Absent()};
}
Op Overwrite(const std::string& id) {
  return Put{.ref = {"thing", {"", id}}, .body = "{}"};
}
Op CreateNamed(const std::string& id) {
  return Put{.ref = {"named", {"", id}}, .body = R"({"name":"x"})", .expect = Expect::Absent()};
}

// "creates | others", each by its place in the call.
std::string Split(const std::vector<WriteBatch>& batches) {
  const Catalog catalog = TheCatalog();
  std::vector<BatchResult> results(batches.size());
  const std::vector<Item> items = ItemsOf(Within(), catalog, batches, results);
  const Groups groups = GroupsOf(items);
  std::string text;
  for (const Item* item : groups.creates) text += std::to_string(item->index) + " ";
  text += "|";
  for (const Item* item : groups.others) text += " " + std::to_string(item->index);
  return text;
}

TEST(PostgresGroup, CreatesGoApartFromTheOthers) {
  EXPECT_EQ(Split({{{Create("a")}}, {{Overwrite("b")}}, {{Create("c")}}}), "0 2 | 1");
}

TEST(PostgresGroup, ACreateStaysBehindAnotherBatchOfItsRecord) {
  EXPECT_EQ(Split({{{Overwrite("a")}}, {{Create("a")}}, {{Create("b")}}}), "2 | 0 1");
  EXPECT_EQ(Split({{{Create("a")}}, {{Create("a")}}, {{Create("a"), Create("b")}}}), "0 | 1 2");
}

TEST(PostgresGroup, ACreateThatClaimsAValueStaysBehindWhoMayGiveItUp) {
  const Op give_up = Delete{.ref = {"named", {"", "old"}}};
  EXPECT_EQ(Split({{{give_up}}, {{CreateNamed("new")}}, {{Create("b")}}}), "2 | 0 1");
  EXPECT_EQ(Split({{{CreateNamed("new")}}, {{give_up}}}), "0 | 1");
}

TEST(PostgresGroup, WhatAlsoChecksOrDeletesIsNoCreate) {
  EXPECT_EQ(Split({{{Create("a"), Check{.ref = {"thing", {"", "b"}}}}},
                   {{Create("c"), Delete{.ref = {"thing", {"", "d"}}, .expect = Expect::Rev(1)}}}}),
            "| 0 1");
}

// It would be answered as applied, and the record would stay.
TEST(PostgresGroup, WhatAlsoDeletesWhateverIsThereIsNoCreate) {
  EXPECT_EQ(
      Split({{{Create("a"), Delete{.ref = {"thing", {"", "b"}}}}},
             {{Create("c"), Delete{.ref = {"thing", {"", "d"}}, .expect = Expect::Absent()}}}}),
      "| 0 1");
}

// Answers all that it is asked by one failure.
class FailingSession final : public Session {
 public:
  explicit FailingSession(Failure failure) : failure_(std::move(failure)) {}
  std::string server() const override { return "db1:5432"; }
  Reply Run(std::span<const Statement>, int64_t, const std::stop_token&) override {
    Reply reply;
    reply.failure = failure_;
    return reply;
  }
  Reply Commit(std::span<const Statement> statements, int64_t deadline_ms) override {
    return Run(statements, deadline_ms, {});
  }
  Poco::Data::Session& poco() override { std::abort(); }
  Error CaughtError() override { return failure_.error; }
  bool Usable() override { return true; }
  int64_t backend_pid() const override { return 0; }

 private:
  const Failure failure_;
};

Attempt CreateOn(FailingSession session) {
  Catalog catalog = TheCatalog();
  catalog.tables["thing"] = std::make_shared<const Table>("a4c", catalog.kinds["thing"]);
  const WriteBatch batch{{Create("a")}};
  std::vector<BatchResult> results(1);
  const std::vector<Item> items = ItemsOf(Within(), catalog, {&batch, 1}, results);
  return CreateAll(Within(), session, catalog, {&items.at(0)}, Within().deadline_ms);
}

// Otherwise two locks that were not had, and no commit between them, would stop all writes until a
// probe.
TEST(PostgresGroup, ALockThatIsNotHadInTimeSaysNothingAboutStandbys) {
  for (const char* state : {"55P03", "57014"}) {
    const Attempt attempt = CreateOn(FailingSession(
        {.statement = 1, .sqlstate = state, .error = Error(Code::kTimeout, "too long")}));
    EXPECT_EQ(attempt.fate, Fate::kRolledBack);
    EXPECT_FALSE(attempt.unanswered) << state;
  }
  const Attempt attempt = CreateOn(
      FailingSession({.statement = 1, .error = Error(Code::kTimeout, "no answer in time")}));
  EXPECT_EQ(attempt.fate, Fate::kUnknown);
  EXPECT_TRUE(attempt.unanswered);
}

TEST(PostgresGroup, ABatchThatIsWrongInItselfIsAnsweredAtOnce) {
  const Catalog catalog = TheCatalog();
  const std::vector<WriteBatch> batches = {{{Create("")}}, {{Create("a")}}};
  std::vector<BatchResult> results(2);
  const std::vector<Item> items = ItemsOf(Within(), catalog, batches, results);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].index, 1u);
  EXPECT_EQ(results[0].outcome, BatchOutcome::kInvalid);
}

}  // namespace
}  // namespace a4c::postgres
