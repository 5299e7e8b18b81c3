#include "a4c/kind.h"

#include <gtest/gtest.h>

namespace a4c {
namespace {

Kind Photo() {
  return Kind{
      .name = "photo",
      .fields = {{.name = "album"}, {.name = "views", .type = FieldType::kLong, .quiet = true}},
      .indexes = {{.name = "by_album", .fields = {"album"}}}};
}

TEST(Kind, AValidKindPasses) {
  EXPECT_TRUE(CheckKind(Photo()));
}

TEST(Kind, FaultsNameKindAndField) {
  Kind kind = Photo();
  kind.indexes[0].fields = {"albun"};
  const auto checked = CheckKind(kind);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message().find("\"photo\""), std::string::npos);
  EXPECT_NE(checked.error().message().find("\"albun\""), std::string::npos);
}

TEST(Kind, EachRuleRefusesItsBreach) {
  const auto refused = [](auto change) {
    Kind kind = Photo();
    change(kind);
    return !CheckKind(kind);
  };
  EXPECT_TRUE(refused([](Kind& k) { k.name = "Photo"; }));
  EXPECT_TRUE(refused([](Kind& k) { k.name = std::string(41, 'a'); }));
  EXPECT_TRUE(refused([](Kind& k) { k.fields.push_back(k.fields[0]); }));
  EXPECT_TRUE(refused([](Kind& k) { k.fields[0].merge = Merge::kMin; }));
  EXPECT_TRUE(refused([](Kind& k) { k.fields[1].searchable = true; }));
  EXPECT_TRUE(refused([](Kind& k) { k.fields[1].type = FieldType::kText; }));
  EXPECT_TRUE(refused([](Kind& k) { k.indexes.push_back(k.indexes[0]); }));
  EXPECT_TRUE(refused([](Kind& k) { k.indexes[0].fields = {}; }));
  EXPECT_TRUE(refused([](Kind& k) { k.serial_index = "by_album"; }));
}

TEST(Kind, RecordsThatEndByAgeNeedATimeThatLeadsAnIndexAndNoUniqueOne) {
  const auto passes = [](auto change) {
    Kind kind{.name = "line",
              .fields = {{.name = "at", .type = FieldType::kTime}, {.name = "name"}},
              .indexes = {{.name = "by_at", .fields = {"at"}, .scoped = false}},
              .age_field = "at"};
    change(kind);
    return CheckKind(kind).has_value();
  };
  EXPECT_TRUE(passes([](Kind&) {}));
  EXPECT_TRUE(passes([](Kind& k) { k.fields[0].quiet = true; }));
  EXPECT_FALSE(passes([](Kind& k) { k.age_field = "none"; }));
  EXPECT_FALSE(passes([](Kind& k) { k.age_field = "name"; }));
  EXPECT_FALSE(passes([](Kind& k) { k.fields[0].type = FieldType::kLong; }));
  EXPECT_FALSE(passes([](Kind& k) { k.indexes[0].scoped = true; }));
  EXPECT_FALSE(passes([](Kind& k) {
    k.indexes.push_back({.name = "by_name", .fields = {"name"}, .unique = true});
  }));
}

}  // namespace
}  // namespace a4c
