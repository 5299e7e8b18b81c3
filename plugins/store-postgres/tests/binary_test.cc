#include <gtest/gtest.h>

#include <limits>

#include "session/postgres_binary.h"

namespace a4c::postgres {
namespace {

using namespace std::string_literals;  // NOLINT: for literals with NUL bytes

TEST(PostgresBinary, AnArrayIsAHeaderAndItemsLedByTheirLength) {
  ArrayBuilder array(kText);
  array.AddBytes("ab");
  array.AddNull();
  array.AddBytes("");
  EXPECT_EQ(std::move(array).Finish(),
            "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0"s);
}

TEST(PostgresBinary, AnArrayWithoutNullsSaysSo) {
  ArrayBuilder array(kBigint);
  array.AddInt(258);
  EXPECT_EQ(std::move(array).Finish(),
            "\0\0\0\1\0\0\0\0\0\0\0\x14\0\0\0\1\0\0\0\1\0\0\0\x8\0\0\0\0\0\0\1\2"s);
}

TEST(PostgresBinary, ScalarsComeBackAsTheyWent) {
  const std::vector<std::pair<FieldType, Scalar>> cases = {
      {FieldType::kLong, std::numeric_limits<int64_t>::min()},
      {FieldType::kTime, int64_t{-1}},
      {FieldType::kDouble, -0.1},
      {FieldType::kDouble, std::numeric_limits<double>::denorm_min()},
      {FieldType::kBool, true},
      {FieldType::kBool, false},
      {FieldType::kKeyword, "\xc3\xa4\"\\'{}"s},
  };
  for (const auto& [type, value] : cases) {
    EXPECT_EQ(ScalarFromBinary(type, ToBinary(value)), value);
  }
}

}  // namespace
}  // namespace a4c::postgres
