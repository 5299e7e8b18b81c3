#include "a4c/stored_kind.h"

#include <gtest/gtest.h>

#include "sample_kind.h"

namespace a4c {
namespace {

TEST(StoredKind, ComesBackAsItWas) {
  const std::string json = KindToJson(SampleKind());
  const Result<Kind> kind = KindFromJson(json);
  ASSERT_TRUE(kind.has_value()) << kind.error().ToString();
  EXPECT_EQ(KindToJson(*kind), json);
  EXPECT_EQ(FindField(*kind, "last")->merge, Merge::kMax);
  EXPECT_TRUE(FindIndex(*kind, "by_name")->unique);
  EXPECT_FALSE(FindIndex(*kind, "by_due")->scoped);
  EXPECT_FALSE(KindFromJson("{}").has_value());
}

TEST(CheckUpgrade, AnAgeFieldCanBeAddedAndIsForGood) {
  Kind old = SampleKind();
  Kind aged = old;
  aged.version = 2;
  aged.age_field = "due";
  aged.append_only = true;
  EXPECT_EQ(KindToJson(old).find("age_field"), std::string::npos) << "as it was stored before";
  const Result<bool> added = CheckUpgrade(old, aged);
  ASSERT_TRUE(added.has_value()) << added.error().ToString();
  EXPECT_TRUE(*added);
  old.version = 3;
  EXPECT_FALSE(CheckUpgrade(aged, old).has_value());
}

TEST(CheckUpgrade, OfTheSameKindHasNothingToDo) {
  Kind searchable = SampleKind();
  searchable.fields[0].searchable = true;
  const Result<bool> upgrade = CheckUpgrade(SampleKind(), searchable);
  ASSERT_TRUE(upgrade.has_value()) << upgrade.error().ToString();
  EXPECT_FALSE(*upgrade);
}

TEST(CheckUpgrade, TellsNewerOlderAndForgotten) {
  const auto code = [](Kind wanted) {
    Kind stored = SampleKind();
    stored.version = 2;
    const Result<bool> upgrade = CheckUpgrade(stored, wanted);
    return upgrade ? (*upgrade ? "upgrade" : "same") : CodeName(upgrade.error().code());
  };
  Kind wanted = SampleKind();
  EXPECT_EQ(code(wanted), "conflict");
  wanted.version = 3;
  wanted.fields.push_back({.name = "colour"});
  wanted.indexes = {{.name = "by_colour", .fields = {"colour"}}};
  EXPECT_EQ(code(wanted), "upgrade");
  wanted.version = 2;
  EXPECT_EQ(code(wanted), "invalid");
  wanted.version = 3;
  wanted.fields[0].type = FieldType::kLong;
  EXPECT_EQ(code(wanted), "invalid");
  wanted.fields[0].type = FieldType::kKeyword;
  wanted.fields[0].quiet = true;
  EXPECT_EQ(code(wanted), "invalid");
}

}  // namespace
}  // namespace a4c
