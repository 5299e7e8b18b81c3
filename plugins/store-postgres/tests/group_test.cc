#include <gtest/gtest.h>

#include "tests/test_server.h"
#include "write/postgres_group.h"

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
