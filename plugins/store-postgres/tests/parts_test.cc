// Kinds whose records end by age lie in parts, of which whole ones are dropped; no key is taken in
// two of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "a4c/migrations.h"
#include "a4c/retention.h"
#include "schema/postgres_table.h"
#include "tests/test_server.h"

namespace a4c::postgres {
namespace {

constexpr int64_t kHourMs = 3'600'000;

Kind Seen(int version = 2) {
  Kind kind{.name = "seen",
            .version = version,
            .fields = {{.name = "made", .type = FieldType::kTime, .quiet = true},
                       {.name = "touched", .type = FieldType::kTime, .quiet = true}},
            .indexes = {{.name = "by_made", .fields = {"made"}, .scoped = false}}};
  if (version > 1) kind.age_field = "made";
  if (version > 2) {
    kind.fields.push_back({.name = "colour"});
    kind.indexes.push_back({.name = "by_colour", .fields = {"colour"}});
  }
  return kind;
}

class PostgresParts : public ServerTest {
 protected:
  static RecordRef Ref(const std::string& id) { return {"seen", {"s", id}}; }
  static Op Make(const std::string& id, int64_t made_ms, const std::string& body = "{}") {
    return Put{
        .ref = Ref(id), .body = body, .quiet = {{"made", made_ms}}, .expect = Expect::Absent()};
  }
  static int64_t NowMs() { return TheRuntime().clock.NowMs(); }
  // Whatever its age, a part that was written is followed by another: nothing is kept.
  bool ForgetOnce(int64_t before_ms = NowMs() + kHourMs) {
    const Result<bool> more = store_->As<Retention>()->Forget(Within(), "seen", before_ms);
    EXPECT_TRUE(more.has_value()) << more.error().ToString();
    return more && *more;
  }
  std::string Parts() {
    return Sql(
        "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_inherits JOIN pg_class ON "
        "oid = inhrelid WHERE inhparent = '" +
        TableName("seen") + "'::regclass");
  }
  std::vector<std::string> Plan(const Kind& kind) {
    auto plan = store_->As<Migrations>()->Plan(Within(), {&kind, 1});
    EXPECT_TRUE(plan.has_value()) << plan.error().ToString();
    return plan ? *std::move(plan) : std::vector<std::string>();
  }
};

TEST_F(PostgresParts, APartOfOldRowsIsDroppedAndNoRowIsDeleted) {
  Open({Seen()});
  EXPECT_FALSE(ForgetOnce()) << "an empty part is not followed by another";
  EXPECT_EQ(Parts(), "seen$part_0");
  ASSERT_EQ(Apply({Make("old", NowMs())}).outcome, BatchOutcome::kApplied);
  EXPECT_TRUE(ForgetOnce()) << "there is a next part now, and this one can be dropped";
  EXPECT_EQ(Parts(), "seen$part_0 seen$part_1");
  EXPECT_TRUE(Read(Ref("old")).has_value());
  EXPECT_FALSE(ForgetOnce());
  EXPECT_EQ(Parts(), "seen$part_1");
  EXPECT_FALSE(Read(Ref("old")).has_value());
}

TEST_F(PostgresParts, ANewPartIsBegunAfterAQuarterOfTheTimeAndNoSooner) {
  Open({Seen()});
  ASSERT_EQ(Apply({Make("a", NowMs())}).outcome, BatchOutcome::kApplied);
  const std::string since =
      "UPDATE \"" + name_ + "\".\"_kinds\" SET part_since = clock_timestamp() ";
  Sql(since + "- interval '59 minutes' WHERE name = 'seen'");
  EXPECT_FALSE(ForgetOnce(NowMs() - 4 * kHourMs));
  Sql(since + "- interval '61 minutes' WHERE name = 'seen'");
  EXPECT_TRUE(ForgetOnce(NowMs() - 4 * kHourMs));
  EXPECT_FALSE(ForgetOnce(NowMs() - 4 * kHourMs)) << "what is young stays";
  EXPECT_EQ(Parts(), "seen$part_0 seen$part_1");
}

TEST_F(PostgresParts, WhatHasNoAgeIsNotForgotten) {
  Open({Seen()});
  ASSERT_EQ(Apply({Make("a", NowMs()), Make("b", NowMs())}).outcome, BatchOutcome::kApplied);
  Sql("UPDATE " + TableName("seen") + " SET q_made = NULL WHERE id = 'a'");
  EXPECT_TRUE(ForgetOnce());
  EXPECT_FALSE(ForgetOnce());
  EXPECT_TRUE(Read(Ref("a")).has_value());
}

// Keys are sent again and again by several, while parts come and go.
TEST_F(PostgresParts, AKeyIsTakenOnceWhileOthersWriteAndPartsAreBegun) {
  constexpr int kKeys = 200;
  constexpr int kWriters = 4;
  Open({Seen()});
  std::vector<std::atomic<int>> taken(kKeys);
  std::atomic<bool> done = false;
  const int64_t made_ms = NowMs() + 2 * kHourMs;
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&] {
        for (int key = 0; key < kKeys; ++key) {
          const WriteBatch batch{{Make("k" + std::to_string(key), made_ms)}};
          const auto answer = store_->Apply(Within(), {&batch, 1});
          ASSERT_TRUE(answer.has_value()) << answer.error().ToString();
          const BatchResult& result = answer->results.at(0);
          if (result.outcome == BatchOutcome::kApplied)
            ++taken[static_cast<size_t>(key)];
          else
            ASSERT_EQ(result.outcome, BatchOutcome::kConflict);
        }
      });
    }
    std::jthread keeper([&] {
      while (!done) ForgetOnce();
    });
    writers.clear();
    done = true;
  }
  for (int key = 0; key < kKeys; ++key) EXPECT_EQ(taken[static_cast<size_t>(key)], 1) << key;
  EXPECT_EQ(Sql("SELECT count(*) FROM " + TableName("seen")), std::to_string(kKeys));
  EXPECT_NE(Sql("SELECT part FROM \"" + name_ + "\".\"_kinds\" WHERE name = 'seen'"), "0");
}

TEST_F(PostgresParts, OneWhoWritesHoldsUpTheNextPart) {
  Open({Seen()});
  ASSERT_EQ(Apply({Make("a", NowMs())}).outcome, BatchOutcome::kApplied);
  Sql("BEGIN; INSERT INTO " + TableName("seen") +
      " (scope, id, rev, tombstone, body, kind_version) VALUES ('s', 'b', 1, false, '{}', 2)");
  EXPECT_FALSE(ForgetOnce()) << "not had within a second: later";
  EXPECT_EQ(Parts(), "seen$part_0");
  Sql("ROLLBACK");
  EXPECT_TRUE(ForgetOnce());
}

TEST_F(PostgresParts, EveryPartIsSoughtByIndex) {
  Open({Seen()});
  ASSERT_EQ(Apply({Make("a", NowMs())}).outcome, BatchOutcome::kApplied);
  ASSERT_TRUE(ForgetOnce());
  const Table table(name_, Seen());
  for (const std::string& sql : {table.get_sql, table.lock_sql, table.insert_sql}) {
    const std::string plan = PlanOf(sql);
    EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
    EXPECT_NE(plan.find("seen$part_0"), std::string::npos) << plan;
    const bool by_key =
        plan.find("Index Cond: ((scope = u.scope) AND (id = u.id)") != std::string::npos;
    EXPECT_TRUE(by_key) << plan;
  }
}

TEST_F(PostgresParts, ATableThatWasWholeIsItsFirstPart) {
  Open({Seen(1)});
  ASSERT_EQ(Apply({Make("a", NowMs()), Make("b", NowMs() + 2 * kHourMs)}).outcome,
            BatchOutcome::kApplied);
  const std::vector<std::string> plan = Plan(Seen());
  const auto starts = [&](const std::string& with) {
    return std::ranges::any_of(plan, [&](const std::string& sql) { return sql.starts_with(with); });
  };
  EXPECT_TRUE(starts("CREATE UNIQUE INDEX CONCURRENTLY \"seen$part_key\""));
  EXPECT_TRUE(starts("DO $swap$ BEGIN LOCK TABLE"));
  EXPECT_EQ(Sql("SELECT relkind FROM pg_class WHERE oid = '" + TableName("seen") + "'::regclass"),
            "r");
  const std::string index = Sql("SELECT '\"" + name_ + "\".\"seen$by_made\"'::regclass::oid");
  Open({Seen()});
  EXPECT_EQ(Parts(), "seen$part_0");
  EXPECT_TRUE(Plan(Seen()).empty());
  EXPECT_EQ(Sql("SELECT count(*) FROM pg_inherits WHERE inhrelid = " + index), "1")
      << "the index that was there is used on";
  EXPECT_EQ(Apply({Make("a", NowMs())}).outcome, BatchOutcome::kConflict);
  EXPECT_EQ(Apply({Put{.ref = Ref("a"), .quiet = {{"touched", int64_t{1}}}}}).outcome,
            BatchOutcome::kApplied);
  EXPECT_TRUE(ForgetOnce());
  EXPECT_EQ(Apply({Make("a", NowMs())}).outcome, BatchOutcome::kConflict);
  EXPECT_FALSE(ForgetOnce());
  EXPECT_TRUE(Read(Ref("b")).has_value()) << "it is young, and its part stays with it";
}

TEST_F(PostgresParts, AnIndexIsAddedPartByPart) {
  Open({Seen()});
  ASSERT_EQ(Apply({Make("a", NowMs() + 2 * kHourMs, R"({"colour":"red"})")}).outcome,
            BatchOutcome::kApplied);
  ASSERT_TRUE(ForgetOnce());
  ASSERT_EQ(Apply({Make("b", NowMs() + 2 * kHourMs, R"({"colour":"blue"})")}).outcome,
            BatchOutcome::kApplied);
  EXPECT_EQ(Parts(), "seen$part_0 seen$part_1");
  Open({Seen(3)});
  EXPECT_TRUE(Plan(Seen(3)).empty());
  const auto page = store_->Scan(Within(), {.kind = "seen", .index = "by_colour", .scope = "s"});
  ASSERT_TRUE(page.has_value()) << page.error().ToString();
  ASSERT_EQ(page->records.size(), 2u);
  EXPECT_EQ(page->records[0].ref.key.id, "b");
  EXPECT_EQ(Sql("SELECT bool_and(indisvalid) FROM pg_index WHERE indexrelid::regclass::text LIKE "
                "'%by_colour%'"),
            "t");
  ASSERT_TRUE(ForgetOnce());
  ASSERT_EQ(Apply({Make("c", NowMs(), R"({"colour":"green"})")}).outcome, BatchOutcome::kApplied);
}

}  // namespace
}  // namespace a4c::postgres
