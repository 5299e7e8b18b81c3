#include "a4c/json.h"

#include <gtest/gtest.h>

namespace a4c {
namespace {

TEST(Json, RoundTripsEveryType) {
  const std::string text = R"({"a":[1,-2.5,true,null,"x\u00e9\n"],"b":{"c":9223372036854775807}})";
  const auto json = ParseJson(text);
  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ((*json)["a"].Items()[0].Int(), 1);
  EXPECT_EQ((*json)["a"].Items()[1].Number(), -2.5);
  EXPECT_EQ((*json)["a"].Items()[4].Text(), "x\u00e9\n");
  EXPECT_EQ((*json)["b"]["c"].Int(), INT64_MAX);
  EXPECT_EQ(*ParseJson(json->ToString()), *json);
}

TEST(Json, MissingMembersAreNullAllTheWayDown) {
  const auto json = ParseJson("{}");
  ASSERT_TRUE(json);
  EXPECT_TRUE((*json)["a"]["b"]["c"].IsNull());
}

// facts.md: this body aborts RapidJSON 1.1.0's own number reading.
TEST(Json, TinyExponentIsZeroAndDoesNotAbort) {
  const auto json = ParseJson("[0.00000000000001e-2147483639]");
  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ(json->Items()[0].Number(7), 0.0);
}

TEST(Json, HugeNumberIsRefusedWithItsOffset) {
  const auto json = ParseJson("[1e999]");
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().code(), Code::kInvalid);
  EXPECT_NE(json.error().message().find("too big"), std::string::npos);
}

TEST(Json, DepthIsBoundedAndDeepInputDoesNotRecurse) {
  const std::string deep(200'000, '[');
  const auto refused = ParseJson(deep);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("nested deeper than 1000"), std::string::npos);
  const std::string nested = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_TRUE(ParseJson(nested, {.depth_max = 100'000}));
}

TEST(Json, RefusesWhatIsNotOneValidDocument) {
  for (const char* text : {"", "{", "{} x", "{\"a\":1,\"a\":2}", "\"\xff\"", "\"\xed\xa0\x80\"",
                           "[1,]", "nul", "{'a':1}", "\"\\ud800\""}) {
    const auto json = ParseJson(text);
    ASSERT_FALSE(json) << text;
    EXPECT_TRUE(json.error().message().starts_with("offset ")) << json.error().message();
  }
}

TEST(Json, ANameTakenAtAnyPositionOfAnyNumberOfMembersIsRefused) {
  std::string members;
  for (int count = 1; count <= 60; ++count) {
    members += (count > 1 ? R"(,"m)" : R"("m)") + std::to_string(count) + R"(":0)";
    EXPECT_TRUE(ParseJson("{" + members + "}")) << count;
    for (const int taken : {1, count / 2 + 1, count}) {
      const auto json = ParseJson("{" + members + R"(,"m)" + std::to_string(taken) + R"(":0})");
      ASSERT_FALSE(json) << taken << " of " << count;
      EXPECT_NE(json.error().message().find("duplicate key"), std::string::npos);
    }
  }
}

TEST(Json, ANameMayStandInOtherObjectsToo) {
  EXPECT_TRUE(ParseJson(R"({"a":{"a":{"a":1}},"b":{"a":2},"c":[{"a":3},{"a":4}]})"));
  for (const char* text : {R"({"a":{"x":1,"b":0},"a":1})", R"({"b":{"a":1,"c":{},"a":2}})",
                           R"([{"a":[{"b":1}],"c":2,"a":3}])"}) {
    EXPECT_FALSE(ParseJson(text)) << text;
  }
}

// RapidJSON copies what needs no unescaping sixteen bytes at a time.
TEST(Json, TextsOfEachLengthWithAnEscapeAnywhereComeBack) {
  for (size_t length = 0; length <= 40; ++length) {
    for (size_t at = 0; at < length; ++at) {
      for (const char odd : {'"', '\\', '\n', '\x01', '\x7f', 'x'}) {
        std::string text(length, 'a');
        text[at] = odd;
        const auto json = ParseJson(Json(Json::Array{text, int64_t{7}}).ToString());
        ASSERT_TRUE(json) << json.error().ToString();
        ASSERT_EQ(json->Items()[0].Text(), text);
      }
    }
  }
}

// The escape character of terminals among them.
TEST(Json, ControlCharactersAreEscapedWhereverTheyStandAndRefusedRaw) {
  for (int byte = 1; byte < 0x20; ++byte) {
    for (size_t at = 0; at <= 40; ++at) {
      SCOPED_TRACE(std::to_string(byte) + " at " + std::to_string(at));
      std::string text(40, 'y');
      text.insert(at, 1, static_cast<char>(byte));
      const std::string written = Json(text).ToString();
      EXPECT_EQ(written.find(static_cast<char>(byte)), std::string::npos) << written;
      const auto read = ParseJson(written);
      ASSERT_TRUE(read) << read.error().ToString();
      EXPECT_EQ(read->Text(), text);
      EXPECT_FALSE(ParseJson("\"" + text + "\""));
    }
  }
}

TEST(Json, AByteOrderMarkMayStandFirst) {
  const auto json = ParseJson("\xEF\xBB\xBF{\"a\":1}");
  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ((*json)["a"].Int(), 1);
  const auto refused = ParseJson("\xEF\xBB\xBF[1,]");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message().starts_with("offset 6: ")) << refused.error().message();
  EXPECT_FALSE(ParseJson("[\xEF\xBB\xBF]"));
}

TEST(Json, ANulIsNotTheEnd) {
  for (const std::string_view text : {std::string_view("{}\0", 3), std::string_view("{}\0x", 4),
                                      std::string_view("{\"a\":\"\0\"}", 9)}) {
    const Result<Json> json = ParseJson(text);
    ASSERT_FALSE(json.has_value());
    EXPECT_NE(json.error().message().find("NUL"), std::string::npos);
  }
}

TEST(Utf8, RefusesSurrogatesOverlongFormsAndTruncation) {
  EXPECT_TRUE(IsUtf8("a\u00e9\u20ac\U0001F600"));
  for (const char* text :
       {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xff"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(Utf8, IsRefusedWhereverItGoesWrong) {
  for (size_t at = 0; at < 24; ++at) {
    const std::string before(at, 'a');
    EXPECT_TRUE(IsUtf8(before + "\u00e9 and more")) << at;
    EXPECT_FALSE(IsUtf8(before + "\xe9 and more")) << at;
    const auto json = ParseJson("\"" + before + "\xff\"");
    ASSERT_FALSE(json);
    EXPECT_EQ(json.error().message(), "offset " + std::to_string(at + 1) + ": invalid UTF-8");
  }
}

}  // namespace
}  // namespace a4c
