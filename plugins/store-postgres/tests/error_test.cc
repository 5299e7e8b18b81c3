#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "session/postgres_error.h"
#include "session/postgres_session.h"

namespace a4c::postgres {
namespace {

TEST(PostgresError, EachSqlstateHasItsCodeAndWhetherARetryCanHelp) {
  const std::vector<std::tuple<std::string, Code, bool>> cases = {
      {"", Code::kUnavailable, true},        // the connection was lost
      {"08006", Code::kUnavailable, true},   // connection_failure
      {"0A000", Code::kUnsupported, false},  // feature_not_supported
      {"22P02", Code::kInvalid, false},      // invalid_text_representation
      {"22021", Code::kInvalid, false},      // character_not_in_repertoire
      {"23505", Code::kConflict, false},     // unique_violation
      {"23514", Code::kInvalid, false},      // check_violation
      {"25006", Code::kUnavailable, true},   // read_only_sql_transaction: a standby
      {"28P01", Code::kDenied, false},       // invalid_password
      {"3D000", Code::kNotFound, false},     // invalid_catalog_name
      {"40001", Code::kUnavailable, true},   // serialization_failure
      {"40P01", Code::kUnavailable, true},   // deadlock_detected
      {"42501", Code::kDenied, false},       // insufficient_privilege
      {"42P01", Code::kNotFound, false},     // undefined_table
      {"42601", Code::kInternal, false},     // syntax_error
      {"53100", Code::kExhausted, true},     // disk_full
      {"53300", Code::kExhausted, true},     // too_many_connections
      {"54000", Code::kInvalid, false},      // program_limit_exceeded
      {"55P03", Code::kTimeout, true},       // lock_not_available
      {"57014", Code::kTimeout, true},       // query_canceled
      {"57P01", Code::kUnavailable, true},   // admin_shutdown
      {"57P03", Code::kUnavailable, true},   // cannot_connect_now
      {"58030", Code::kUnavailable, true},   // io_error
      {"P0001", Code::kInvalid, false},      // raise_exception
      {"XX000", Code::kInternal, false},     // internal_error
  };
  for (const auto& [state, code, retryable] : cases) {
    const Error error = ErrorOf(state, "why\n");
    EXPECT_EQ(CodeName(error.code()), CodeName(code)) << state;
    EXPECT_EQ(error.retryable(), retryable) << state;
    EXPECT_NE(error.message().find("why"), std::string::npos) << state;
    EXPECT_NE(error.message().find(state), std::string::npos) << state;
  }
}

TEST(PostgresError, AFailedConnectionIsUnavailableOrDenied) {
  EXPECT_EQ(
      ConnectErrorOf("connection to server at \"x\", port 1 failed: Connection refused").code(),
      Code::kUnavailable);
  EXPECT_EQ(ConnectErrorOf("FATAL:  password authentication failed for user \"a4c\"").code(),
            Code::kDenied);
  EXPECT_EQ(ConnectErrorOf("fe_sendauth: no password supplied").code(), Code::kDenied);
  EXPECT_EQ(ConnectErrorOf("FATAL:  database \"nope\" does not exist").code(), Code::kNotFound);
  EXPECT_EQ(ConnectErrorOf("session is read-only").code(), Code::kUnavailable);
  EXPECT_FALSE(ConnectErrorOf("no password supplied").hint().empty());
}

TEST(PostgresError, AStandbyOrACutConnectionEndsTheSession) {
  for (const char* state : {"", "08006", "25006", "26000", "57P01"}) {
    EXPECT_TRUE(EndsSession(state)) << state;
  }
  for (const char* state : {"23505", "40001", "57014", "55P03"}) {
    EXPECT_FALSE(EndsSession(state)) << state;
  }
}

// What tells "not applied" from "unknown".
TEST(PostgresFailure, OnlyTheServersWordBeforeTheCommitProvesARollback) {
  const auto failure = [](size_t statement, const char* state, bool fatal) {
    return Failure{
        .statement = statement, .sqlstate = state, .fatal = fatal, .error = ErrorOf(state, "")};
  };
  EXPECT_FALSE(failure(0, "", false).ProvesRollback(3)) << "all was sent at once";
  EXPECT_TRUE(failure(1, "40P01", false).ProvesRollback(3));
  EXPECT_TRUE(failure(3, "40001", false).ProvesRollback(3)) << "an error is a commit that failed";
  EXPECT_TRUE(failure(1, "57P01", true).ProvesRollback(3)) << "cut before it came to the commit";
  EXPECT_FALSE(failure(3, "57P01", true).ProvesRollback(3)) << "cut in the commit";
}

}  // namespace
}  // namespace a4c::postgres
