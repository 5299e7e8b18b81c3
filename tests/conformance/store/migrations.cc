// What Ensure would do can be read beforehand, and reading it does nothing.
#include "a4c/migrations.h"

#include "tests/conformance/store/store_suite.h"

namespace a4c::conformance {
namespace {

class StoreMigrations : public StoreSuite {
 protected:
  void SetUp() override {
    StoreSuite::SetUp();
    migrations_ = store().As<Migrations>();
    if (migrations_ == nullptr) GTEST_SKIP() << "Ensure does nothing that could be read beforehand";
  }

  std::vector<std::string> Plan(const Kind& kind) {
    Result<std::vector<std::string>> plan = migrations_->Plan(Within(), {&kind, 1});
    if (plan) return *std::move(plan);
    ADD_FAILURE() << plan.error().ToString();
    return {};
  }
  Kind Grown() const {
    Kind kind = kind_data();
    ++kind.version;
    kind.fields.push_back({.name = "colour"});
    kind.indexes.push_back({.name = "by_colour", .fields = {"colour"}, .scoped = false});
    return kind;
  }

  Migrations* migrations_ = nullptr;
};

TEST_F(StoreMigrations, APlanIsNotCarriedOut) {
  const Kind fresh = ThingKind(Unique("fresh"));
  const std::vector<std::string> plan = Plan(fresh);
  EXPECT_FALSE(plan.empty());
  EXPECT_EQ(Plan(fresh), plan) << "the first one has changed something";
  EXPECT_FALSE(store().Scan(Within(), {.kind = fresh.name})) << "it is there";
}

TEST_F(StoreMigrations, WhatIsThereNeedsNothing) {
  EXPECT_EQ(Plan(kind_data()), std::vector<std::string>());
}

TEST_F(StoreMigrations, WhatIsAddedIsPlannedUntilItIsThere) {
  Create("a", R"({"colour":"red"})");
  const Kind grown = Grown();
  EXPECT_FALSE(Plan(grown).empty());
  const Result<void> ensured = store().Ensure(Within(), {&grown, 1});
  ASSERT_TRUE(ensured) << ensured.error().ToString();
  EXPECT_EQ(Plan(grown), std::vector<std::string>());
  EXPECT_EQ(Ids({.kind = kind(), .index = "by_colour"}), "a");
}

TEST_F(StoreMigrations, WhatEnsureRefusesIsNotPlanned) {
  Kind wrong = ThingKind(Unique("wrong"));
  wrong.indexes.push_back({.name = "by_nothing", .fields = {"nothing"}});
  const Result<std::vector<std::string>> plan = migrations_->Plan(Within(), {&wrong, 1});
  const Result<void> ensured = store().Ensure(Within(), {&wrong, 1});
  ASSERT_FALSE(plan);
  ASSERT_FALSE(ensured);
  EXPECT_EQ(plan.error().code(), ensured.error().code());
}

}  // namespace
}  // namespace a4c::conformance
