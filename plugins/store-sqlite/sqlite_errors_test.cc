#include "sqlite_errors.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace a4c::sqlite {
namespace {

TEST(SqliteErrors, AreToldByTheTable) {
  const struct {
    int code;
    Code as;
    bool retryable;
  } cases[] = {{SQLITE_BUSY, Code::kUnavailable, true},
               {SQLITE_BUSY_SNAPSHOT, Code::kUnavailable, true},
               {SQLITE_FULL, Code::kExhausted, true},
               {SQLITE_IOERR_FSYNC, Code::kUnavailable, true},
               {SQLITE_CANTOPEN_ISDIR, Code::kUnavailable, true},
               {SQLITE_READONLY_DBMOVED, Code::kDenied, false},
               {SQLITE_TOOBIG, Code::kInvalid, false},
               {SQLITE_NOTADB, Code::kInvalid, false},
               {SQLITE_CORRUPT_INDEX, Code::kInternal, false},
               {SQLITE_MISUSE, Code::kInternal, false},
               {SQLITE_CONSTRAINT_UNIQUE, Code::kInternal, false}};
  for (const auto& [code, as, retryable] : cases) {
    const Error error = ToError(code, "writing", "what SQLite says");
    EXPECT_EQ(error.code(), as) << code;
    EXPECT_EQ(error.retryable(), retryable) << code;
    EXPECT_NE(error.message().find("writing: what SQLite says"), std::string::npos);
    EXPECT_NE(error.message().find(std::to_string(code)), std::string::npos);
  }
}

TEST(SqliteErrors, ACommitThatFailedInInputOutputMayHaveHappened) {
  EXPECT_TRUE(MayBeCommitted(SQLITE_IOERR_FSYNC));
  EXPECT_TRUE(MayBeCommitted(SQLITE_IOERR_WRITE));
  EXPECT_FALSE(MayBeCommitted(SQLITE_FULL));
  EXPECT_FALSE(MayBeCommitted(SQLITE_BUSY));
}

}  // namespace
}  // namespace a4c::sqlite
