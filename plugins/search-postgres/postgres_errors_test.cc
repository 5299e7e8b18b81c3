#include "postgres_errors.h"

#include <gtest/gtest.h>

namespace a4c::search_postgres {
namespace {

TEST(PostgresErrors, TheLongestEntryCounts) {
  EXPECT_EQ(ErrorOf("22P05", "m").code(), Code::kInvalid);
  EXPECT_EQ(ErrorOf("25006", "m").code(), Code::kUnavailable);
  EXPECT_EQ(ErrorOf("40P01", "m").code(), Code::kUnavailable);
  EXPECT_EQ(ErrorOf("53300", "m").code(), Code::kExhausted);
  EXPECT_EQ(ErrorOf("57014", "m").code(), Code::kTimeout);
  EXPECT_EQ(ErrorOf("57P01", "m").code(), Code::kUnavailable);
  EXPECT_EQ(ErrorOf("", "m").code(), Code::kUnavailable);
  EXPECT_EQ(ErrorOf("XX000", "m").code(), Code::kInternal);
}

TEST(PostgresErrors, TheMessageIsOneLineAndNamesTheState) {
  EXPECT_EQ(ErrorOf("42501", "permission\ndenied\n").message(),
            "search-postgres: PostgreSQL 42501: permission denied");
}

TEST(PostgresErrors, AConnectionThatIsRefusedForGoodIsNotRetried) {
  EXPECT_EQ(ConnectErrorOf("FATAL:  password authentication failed").code(), Code::kDenied);
  EXPECT_EQ(ConnectErrorOf("FATAL:  database \"x\" does not exist").code(), Code::kNotFound);
  EXPECT_EQ(ConnectErrorOf("connection refused").code(), Code::kUnavailable);
}

TEST(PostgresErrors, AStateOfTheServerEndsTheSessionOneOfTheStatementDoesNot) {
  for (const char* state : {"", "08006", "25006", "57P01", "26000"}) {
    EXPECT_TRUE(EndsSession(state)) << state;
  }
  for (const char* state : {"22012", "40001", "57014", "55P03"}) {
    EXPECT_FALSE(EndsSession(state)) << state;
  }
}

}  // namespace
}  // namespace a4c::search_postgres
