#include "a4c/record.h"

#include <gtest/gtest.h>

#include "a4c/clock.h"
#include "a4c/sinks.h"

namespace a4c {
namespace {

TEST(BodyHash, IsTheFirstHalfWordOfMd5) {
  EXPECT_EQ(BodyHash(""), 0xd41d8cd9u);
  EXPECT_EQ(BodyHash("a"), 0x0cc175b9u);
  EXPECT_EQ(
      BodyHash("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
      0x57edf4a2u);
  EXPECT_EQ(BodyHash(std::string(56, 'a')), 0x3b0c8ac7u);  // the padding needs a block of its own
}

TEST(IdSource, IdsAreVersion7AndRise) {
  const Runtime runtime = SystemRuntime(NullLogSink(), NullMetricSink());
  IdSource ids(runtime.clock, runtime.random);
  std::string last;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = ids.Next();
    ASSERT_EQ(id.size(), 36u);
    ASSERT_EQ(id[14], '7');
    ASSERT_NE(std::string("89ab").find(id[19]), std::string::npos);
    ASSERT_LT(last, id);
    last = id;
  }
}

Kind Sample() {
  return Kind{.name = "sample",
              .fields = {{.name = "name"},
                         {.name = "due", .type = FieldType::kTime},
                         {.name = "ratio", .type = FieldType::kDouble},
                         {.name = "count", .type = FieldType::kLong, .quiet = true}},
              .indexes = {{.name = "by_name", .fields = {"name"}},
                          {.name = "by_due", .fields = {"due", "ratio"}}}};
}

TEST(IndexedFields, TakesTheIndexedOnesAndLeavesOutAbsentOnes) {
  const auto values = IndexedFields(Sample(), R"({"name":"a","ratio":2,"other":[1]})");
  ASSERT_TRUE(values) << values.error().ToString();
  EXPECT_EQ(values->size(), 2u);
  EXPECT_EQ(values->at("name"), Scalar(std::string("a")));
  EXPECT_EQ(values->at("ratio"), Scalar(2.0));
}

TEST(IndexedFields, RefusesByField) {
  const auto message = [](std::string_view body) {
    const auto values = IndexedFields(Sample(), body);
    return values ? std::string("accepted") : values.error().message();
  };
  EXPECT_NE(message(R"({"name":1})").find("\"name\""), std::string::npos);
  EXPECT_NE(message(R"({"name":"a\u0000b"})").find("NUL"), std::string::npos);
  EXPECT_NE(message(R"({"due":1.5})").find("\"due\""), std::string::npos);
  EXPECT_NE(message("[]").find("not a JSON object"), std::string::npos);
  EXPECT_NE(message("{\"x\":\"\xff\"}").find("offset"), std::string::npos);
}

TEST(IndexedFields, RefusesTheBodyForWhatNoIndexNames) {
  EXPECT_TRUE(IndexedFields(Sample(), R"({"name":"a","other":{"name":1,"due":"x"}})"));
  for (const char* body :
       {R"({"name":"a","other":{"x":1,"x":2}})", R"({"name":"a","other":[1e999]})",
        R"({"name":"a","other":1,"other":2})", R"({"name":"a","other":"\ud800"})",
        R"({"name":"a","name":"b"})", R"({"name":"a"} x)", "{\"name\":\"a\",\"other\":\"\xff\"}"}) {
    EXPECT_FALSE(IndexedFields(Sample(), body)) << body;
  }
  const std::string deep =
      R"({"name":"a","other":)" + std::string(2000, '[') + std::string(2000, ']') + "}";
  EXPECT_FALSE(IndexedFields(Sample(), deep));
}

TEST(IndexedFields, AnObjectOrAListIsOfTheWrongType) {
  for (const char* body : {R"({"name":{}})", R"({"name":["a"]})", R"({"due":{"a":1}})"}) {
    const auto values = IndexedFields(Sample(), body);
    ASSERT_FALSE(values) << body;
    EXPECT_NE(values.error().message().find("is not of type"), std::string::npos);
  }
}

TEST(CheckQuiet, OnlyQuietFieldsOfTheirType) {
  EXPECT_TRUE(CheckQuiet(Sample(), {{"count", int64_t{3}}}));
  EXPECT_TRUE(CheckQuiet(Sample(), {{"count", Scalar()}}));
  EXPECT_FALSE(CheckQuiet(Sample(), {{"count", 3.0}}));
  EXPECT_FALSE(CheckQuiet(Sample(), {{"name", std::string("a")}}));
  EXPECT_FALSE(CheckQuiet(Sample(), {{"unknown", int64_t{1}}}));
}

TEST(CheckKey, RefusesEmptyLongNulAndInvalidUtf8) {
  EXPECT_TRUE(CheckKey({"", "a"}));
  EXPECT_FALSE(CheckKey({"", ""}));
  EXPECT_FALSE(CheckKey({"", std::string(257, 'a')}));
  EXPECT_FALSE(CheckKey({"", std::string("a\0b", 3)}));
  EXPECT_FALSE(CheckKey({"\xff", "a"}));
}

}  // namespace
}  // namespace a4c
