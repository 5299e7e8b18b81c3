#include "postgres_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace a4c::search_postgres {
namespace {

TEST(PostgresText, ArraysQuoteEveryItem) {
  EXPECT_EQ(ArrayText({}), "{}");
  EXPECT_EQ(ArrayText({"a", "", "NULL", "b,c", R"(\"{})"}), R"({"a","","NULL","b,c","\\\"{}"})");
}

TEST(PostgresText, NamesAreQuoted) {
  EXPECT_EQ(Quoted("photo.1"), "\"photo.1\"");
  EXPECT_EQ(Quoted("a\"b"), "\"a\"\"b\"");
}

TEST(PostgresText, ValuesComeBackAsTheyWent) {
  for (const double number : {0.1, -1e300, 5e-324, 0.0, 1.0 / 3}) {
    EXPECT_EQ(FromText(FieldType::kDouble, ToText(number)), Scalar(number));
  }
  for (const int64_t number :
       {std::numeric_limits<int64_t>::min(), int64_t{0}, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(FromText(FieldType::kLong, ToText(number)), Scalar(number));
  }
  EXPECT_EQ(FromText(FieldType::kBool, "t"), Scalar(true));
  EXPECT_EQ(FromText(FieldType::kBool, "false"), Scalar(false));
  EXPECT_EQ(FromText(FieldType::kKeyword, "5"), Scalar("5"));
}

TEST(PostgresText, ThePlaceBehindAPrefixIsTheNextTextThatIsValid) {
  EXPECT_EQ(BehindPrefix("ab"), "ac");
  EXPECT_EQ(BehindPrefix("a\x7F"), "a\xC2\x80");
  EXPECT_EQ(BehindPrefix("\xC3\xA9"), "\xC3\xAA");          // é
  EXPECT_EQ(BehindPrefix("\xED\x9F\xBF"), "\xEE\x80\x80");  // over the surrogates
  EXPECT_EQ(BehindPrefix("\xEF\xBF\xBF"), "\xF0\x90\x80\x80");
  EXPECT_EQ(BehindPrefix("a\xF4\x8F\xBF\xBF"), "b");  // the last code point
  EXPECT_EQ(BehindPrefix("\xF4\x8F\xBF\xBF"), "");
  EXPECT_EQ(BehindPrefix(""), "");
}

}  // namespace
}  // namespace a4c::search_postgres
