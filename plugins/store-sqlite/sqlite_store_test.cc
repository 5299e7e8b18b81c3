#include "sqlite_store.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

#include "a4c/sinks.h"
#include "sqlite_fault_files.h"
#include "sqlite_test_files.h"
#include "tests/support/fake_clock.h"

namespace a4c::sqlite {
namespace {

class SqliteStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Open();
    const Kind kind{.name = "thing",
                    .fields = {{.name = "size", .type = FieldType::kLong}},
                    .indexes = {{.name = "by_size", .fields = {"size"}}}};
    ASSERT_TRUE(store_->Ensure(Within(), {&kind, 1}).has_value());
  }

  void Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> store = OpenSqliteStore({.path = path_}, fake_.runtime());
    ASSERT_TRUE(store.has_value()) << store.error().ToString();
    store_ = *std::move(store);
  }
  Call Within() const { return fake_.Within(30'000); }
  static WriteBatch Create(const std::string& id) {
    return {{Put{.ref = {"thing", {"", id}}, .body = R"({"size":1})", .expect = Expect::Absent()}}};
  }
  BatchResult Apply(const WriteBatch& batch) { return ApplyAll({batch}).at(0); }
  std::vector<BatchResult> ApplyAll(const std::vector<WriteBatch>& batches) {
    Result<ApplyAnswer> answer = store_->Apply(Within(), batches);
    EXPECT_TRUE(answer.has_value()) << answer.error().ToString();
    return answer ? answer->results : std::vector<BatchResult>(batches.size());
  }
  int64_t TimeMs() {
    const Result<GetAnswer> answer = store_->Get(Within(), {});
    EXPECT_TRUE(answer.has_value());
    return answer ? answer->store_time_ms : 0;
  }
  bool Has(const std::string& id) {
    const RecordRef ref{"thing", {"", id}};
    const Result<GetAnswer> answer = store_->Get(Within(), {&ref, 1});
    EXPECT_TRUE(answer.has_value()) << answer.error().ToString();
    return answer && answer->records.at(0).has_value();
  }

  const TestDirectory directory_;
  const std::string path_ = directory_.File("a4c.db");
  WalFaults& faults_ = InstallFaultFiles();
  testing::FakeRuntime fake_;
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteStoreTest, ASecondInstanceIsRefusedByPathAndProcess) {
  const auto second = OpenSqliteStore({.path = path_}, fake_.runtime());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_NE(second.error().message().find(path_), std::string::npos);
  EXPECT_NE(second.error().message().find(std::to_string(getpid())), std::string::npos);
  store_.reset();
  EXPECT_TRUE(OpenSqliteStore({.path = path_}, fake_.runtime()).has_value()) << "and free again";
}

TEST_F(SqliteStoreTest, WhatIsNoFileOfOursIsRefused) {
  const auto code = [this](const std::string& path) {
    const auto store = OpenSqliteStore({.path = path}, fake_.runtime());
    return store ? std::string("opened") : std::string(CodeName(store.error().code()));
  };
  EXPECT_EQ(code(":memory:"), "invalid");
  EXPECT_EQ(code(""), "invalid");
  EXPECT_EQ(code(directory_.File("nowhere/a4c.db")), "unavailable");
  const std::string text = directory_.File("text.db");
  std::ofstream(text) << std::string(5000, 'x');
  EXPECT_EQ(code(text), "invalid");
  const std::string foreign = directory_.File("foreign.db");
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(foreign.c_str(), &handle), SQLITE_OK);
  sqlite3_exec(handle, "CREATE TABLE theirs (x)", nullptr, nullptr, nullptr);
  sqlite3_close(handle);
  EXPECT_EQ(code(foreign), "invalid");
}

TEST_F(SqliteStoreTest, AFileOfANewerFormatIsRefused) {
  store_.reset();
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
  sqlite3_exec(handle, "PRAGMA user_version = 2", nullptr, nullptr, nullptr);
  sqlite3_close(handle);
  const auto store = OpenSqliteStore({.path = path_}, fake_.runtime());
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code(), Code::kInvalid);
}

TEST_F(SqliteStoreTest, KindsAreKnownAgainWithoutEnsure) {
  EXPECT_EQ(Apply(Create("a")).outcome, BatchOutcome::kApplied);
  Open();
  EXPECT_TRUE(Has("a"));
  EXPECT_EQ(Apply(Create("a")).outcome, BatchOutcome::kConflict);
}

TEST_F(SqliteStoreTest, OthersCannotReadTheFiles) {
  EXPECT_EQ(Apply(Create("a")).outcome, BatchOutcome::kApplied);
  for (const char* end : {"", "-wal", "-shm", ".lock"}) {
    struct stat status = {};
    ASSERT_EQ(stat((path_ + end).c_str(), &status), 0) << end;
    EXPECT_EQ(status.st_mode & 0077, 0u) << end;
  }
}

TEST_F(SqliteStoreTest, AFullDiskAppliesNothingAndSaysSo) {
  faults_.write_code = SQLITE_FULL;
  for (const BatchResult& result : ApplyAll({Create("a"), Create("b")})) {
    EXPECT_EQ(result.outcome, BatchOutcome::kNotApplied);
    ASSERT_TRUE(result.error.has_value());
    EXPECT_EQ(result.error->code(), Code::kExhausted);
    EXPECT_TRUE(result.error->retryable());
  }
  EXPECT_FALSE(Has("a"));
  EXPECT_GE(fake_.log().CountOf("a commit failed", LogLevel::kWarning), 1);
  faults_.write_code = SQLITE_OK;
  EXPECT_EQ(Apply(Create("a")).outcome, BatchOutcome::kApplied) << "and goes on when there is room";
}

TEST_F(SqliteStoreTest, ACommitThatCannotBeSyncedIsUnknownAndIsResolvedBySendingAgain) {
  faults_.sync_code = SQLITE_IOERR_FSYNC;
  WriteBatch wrong;
  wrong.ops = {Delete{{"unheard_of", {"", "x"}}}};
  const std::vector<BatchResult> results = ApplyAll({Create("a"), Create("a"), wrong});
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(results[i].outcome, BatchOutcome::kUnknown)
        << "a conflict with what may not be there is as unknown";
    ASSERT_TRUE(results[i].error.has_value());
    EXPECT_TRUE(results[i].error->unknown_outcome());
  }
  EXPECT_EQ(results[2].outcome, BatchOutcome::kInvalid) << "that much is known";
  faults_.sync_code = SQLITE_OK;
  const BatchOutcome again = Apply(Create("a")).outcome;
  EXPECT_EQ(again, BatchOutcome::kApplied);
  EXPECT_TRUE(Has("a"));
}

TEST_F(SqliteStoreTest, AFileLockedByAnotherProgramAppliesNothing) {
  store_.reset();
  Result<std::unique_ptr<Store>> impatient =
      OpenSqliteStore({.path = path_, .busy_timeout_ms = 0}, fake_.runtime());
  ASSERT_TRUE(impatient.has_value()) << impatient.error().ToString();
  store_ = *std::move(impatient);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const BatchResult result = Apply(Create("a"));
  EXPECT_EQ(result.outcome, BatchOutcome::kNotApplied);
  ASSERT_TRUE(result.error.has_value());
  EXPECT_EQ(result.error->code(), Code::kUnavailable);
  EXPECT_FALSE(Has("a")) << "readers go on";
  sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_EQ(Apply(Create("a")).outcome, BatchOutcome::kApplied);
}

TEST_F(SqliteStoreTest, StoreTimeDoesNotFollowTheWallClockBack) {
  const int64_t before = TimeMs();
  fake_.clock().JumpWallClock(-3'600'000);
  EXPECT_GE(TimeMs(), before);
  fake_.clock().Advance(60'000);
  EXPECT_GE(TimeMs(), before + 30'000) << "and does not stand still";
}

TEST_F(SqliteStoreTest, StoreTimeDoesNotFollowTheWallClockBackOverARestart) {
  EXPECT_EQ(Apply(Create("a")).outcome, BatchOutcome::kApplied);
  fake_.clock().Advance(5'000);
  EXPECT_EQ(Apply(Create("b")).outcome, BatchOutcome::kApplied);
  const int64_t before = TimeMs();
  store_.reset();
  fake_.clock().JumpWallClock(-3'600'000);
  Open();
  EXPECT_GE(TimeMs(), before);
  EXPECT_EQ(fake_.log().CountOf("the clock was set back", LogLevel::kWarning), 1);
  fake_.clock().Advance(60'000);
  EXPECT_GE(TimeMs(), before + 30'000);
  fake_.clock().Advance(2 * 3'600'000);
  EXPECT_EQ(TimeMs(), fake_.clock().NowMs()) << "the clock has caught up";
}

TEST_F(SqliteStoreTest, AClockThatWasPlainlyWrongIsNotGoneOnFrom) {
  EXPECT_EQ(Apply(Create("a")).outcome, BatchOutcome::kApplied);
  fake_.clock().JumpWallClock(-30LL * 24 * 3'600'000);
  for (const char* id : {"b", "c"}) {
    Open();
    EXPECT_EQ(TimeMs(), fake_.clock().NowMs());
    EXPECT_EQ(Apply(Create(id)).outcome, BatchOutcome::kApplied);
  }
  EXPECT_EQ(fake_.log().CountOf("set back too far", LogLevel::kWarning), 1)
      << "the right time has taken its place";
}

}  // namespace
}  // namespace a4c::sqlite
