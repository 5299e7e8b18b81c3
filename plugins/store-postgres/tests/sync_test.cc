// What happens where no standby confirms commits. Needs a server whose standby never comes, so this
// test starts its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/test_server.h"

namespace a4c::postgres {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string ProgramsDirectory() {
  std::error_code ignored;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    if (fs::exists(version.path() / "bin/initdb")) return (version.path() / "bin").string();
  }
  return {};
}

// PostgreSQL does not run as root.
int Shell(const std::string& command) {
  const std::string quiet = command + " >/dev/null 2>&1";
  return std::system((geteuid() == 0 ? "runuser -u postgres -- " + quiet : quiet).c_str());
}

class PostgresSyncWait : public ServerTest {
 protected:
  void SetUp() override {
    programs_ = ProgramsDirectory();
    if (programs_.empty()) {
      ASSERT_FALSE(IsRequired()) << "needs PostgreSQL's server programs";
      GTEST_SKIP() << "needs PostgreSQL's server programs";
    }
    char pattern[] = "/tmp/a4c-pg-XXXXXX";
    directory_ = mkdtemp(pattern);
    fs::permissions(directory_, fs::perms::all);
    ASSERT_EQ(Shell(programs_ + "/initdb -A trust -U a4c -E UTF8 --locale=C -D " + Data()), 0);
    ASSERT_EQ(Shell(programs_ + "/pg_ctl -w -D " + Data() + " -l " + directory_ + "/log -o \"-k " +
                    directory_ + " -c listen_addresses=''\" start"),
              0);
    setenv("A4C_TEST_POSTGRES_DSN", ("host=" + directory_ + " dbname=postgres user=a4c").c_str(),
           1);
    ServerTest::SetUp();
  }
  void TearDown() override {
    if (!directory_.empty()) {
      SetStandbys("");
      ServerTest::TearDown();
      Shell(programs_ + "/pg_ctl -m immediate -D " + Data() + " stop");
      Shell("rm -rf " + Data());
      fs::remove_all(directory_);
    }
  }

  std::string Data() const { return directory_ + "/data"; }

  void SetStandbys(const std::string& names) {
    Sql("SET synchronous_commit = local");
    Sql("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
    Sql("SELECT pg_reload_conf()");
  }

  // Receives the log and confirms it, as a synchronous standby does, until it is cut off.
  void StartStandby() {
    Shell("mkdir " + directory_ + "/wal");
    Shell("sh -c '" + programs_ + "/pg_receivewal --synchronous --no-loop -D " + directory_ +
          "/wal -d \"host=" + directory_ + " user=a4c application_name=standby\" &'");
    SetStandbys("standby");
    Await("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
  }
  void CutOffStandby() {
    Sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    Await("SELECT count(*) = 0 FROM pg_stat_replication");
  }

  // Until it is true, and that for a session which has just been opened.
  void Await(const std::string& sql) {
    const Call patience = Within();
    std::string answer;
    while (answer != "t") {
      ASSERT_FALSE(patience.Expired()) << sql;
      const std::unique_ptr<PGconn, decltype(&PQfinish)> fresh(PQconnectdb(dsn_.c_str()), PQfinish);
      const std::unique_ptr<PGresult, decltype(&PQclear)> row(PQexec(fresh.get(), sql.c_str()),
                                                              PQclear);
      if (PQntuples(row.get()) == 1) answer = PQgetvalue(row.get(), 0, 0);
    }
  }

  // Of the lane that a put with this expectation takes.
  BatchResult Write(const std::string& id, Expect expect) {
    return Apply({Put{.ref = {"thing", {"", id}}, .body = "{}", .expect = expect}});
  }

  // Cancels whatever waits for a standby until told to stop; the number of cancelled ones.
  int CancelWaits(const std::stop_token& stop) {
    const auto waiter = TheRuntime().threads.NewWaiter();
    int cancelled = 0;
    while (!stop.stop_requested()) {
      cancelled +=
          std::stoi(Sql("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE "
                        "wait_event = 'SyncRep'"));
      const Waiter::Lock lock(*waiter);
      waiter->Wait(TheRuntime().clock.MonotonicMs() + 5);
    }
    return cancelled;
  }

  // Creates records until one is unknown; the server takes a moment to read its configuration.
  std::string CreateUntilUnknown(Expect expect) {
    for (int i = 0; i < 1000; ++i) {
      std::string id =
          "r" + std::to_string(static_cast<int>(expect.what)) + "-" + std::to_string(i);
      const BatchResult result =
          Apply({Put{.ref = {"thing", {"", id}}, .body = "{}", .expect = expect}});
      if (result.outcome == BatchOutcome::kUnknown) return id;
      EXPECT_EQ(result.outcome, BatchOutcome::kApplied);
    }
    return {};
  }

  std::string programs_;
  std::string directory_;
};

// Also where warnings, which alone tell of it, are hidden from the role.
TEST_F(PostgresSyncWait, ACancelledWaitIsUnknownInBothLanes) {
  Sql("ALTER ROLE a4c SET client_min_messages = error");
  Open({{.name = "thing"}}, {{"durability", ConfigValue::Scalar("single_server")}});
  SetStandbys("nobody");
  int cancelled = 0;
  std::vector<std::string> unknown;
  {
    const auto canceller = TheRuntime().threads.Start(
        "canceller", [&](const std::stop_token& stop) { cancelled = CancelWaits(stop); });
    unknown.push_back(CreateUntilUnknown(Expect::Absent()));
    unknown.push_back(CreateUntilUnknown(Expect::Any()));
  }
  SetStandbys("");
  EXPECT_GE(cancelled, 2);
  for (const std::string& id : unknown) {
    ASSERT_FALSE(id.empty());
    EXPECT_TRUE(Read({"thing", {"", id}}).has_value()) << "committed here, though nowhere else";
  }
}

// As Patroni does when the last standby goes, unless it is told to be strict. Nothing tells the
// sessions, and commits wait for nobody.
TEST_F(PostgresSyncWait, WhereCommitsDoNotWaitAnyMoreNothingIsAcknowledgedInEitherLane) {
  StartStandby();
  for (const char* setting : {"synchronous_standby_names = ''", "synchronous_commit = 'local'"}) {
    for (const Expect& expect : {Expect::Absent(), Expect::Any()}) {
      SCOPED_TRACE(setting);
      const bool creates = expect.what == Expect::What::kAbsent;
      const std::string id = setting + std::to_string(creates ? 1 : 2);
      Open({{.name = "thing"}});
      ASSERT_EQ(Write(id, expect).outcome, BatchOutcome::kApplied);
      Sql(std::string("ALTER SYSTEM SET ") + setting);
      Sql("SELECT pg_reload_conf()");
      Await(
          "SELECT current_setting('synchronous_standby_names') = '' OR "
          "current_setting('synchronous_commit') = 'local'");
      const BatchResult first = Write(id + "-late", expect);
      EXPECT_EQ(first.outcome, creates ? BatchOutcome::kUnknown : BatchOutcome::kNotApplied);
      const BatchResult next = creates ? Write(id + "-later", expect) : first;
      ASSERT_EQ(next.outcome, BatchOutcome::kNotApplied);
      EXPECT_EQ(next.error->code(), Code::kUnavailable) << next.error->ToString();
      Sql("ALTER SYSTEM RESET synchronous_commit");
      SetStandbys("standby");
      Await(
          "SELECT current_setting('synchronous_standby_names') <> '' AND "
          "current_setting('synchronous_commit') = 'on'");
      EXPECT_EQ(Write(id + "-later", expect).outcome, BatchOutcome::kApplied);
    }
  }
}

// They are let go as if a standby had confirmed them.
TEST_F(PostgresSyncWait, CommitsThatWaitWhileTheStandbysAreTakenAwayAreUnknownInBothLanes) {
  for (const Expect& expect : {Expect::Absent(), Expect::Any()}) {
    StartStandby();
    Open({{.name = "thing"}});
    const std::string id = "a" + std::to_string(static_cast<int>(expect.what));
    ASSERT_EQ(Write(id, expect).outcome, BatchOutcome::kApplied);
    CutOffStandby();
    BatchResult waited;
    {
      const auto writer = TheRuntime().threads.Start(
          "writer", [&](const std::stop_token&) { waited = Write(id + "-late", expect); });
      Await("SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
      SetStandbys("");
    }
    EXPECT_EQ(waited.outcome, BatchOutcome::kUnknown);
    EXPECT_THAT(waited.error->message(), HasSubstr("does not wait for a standby any more"));
  }
}

TEST_F(PostgresSyncWait, APrimaryWithoutAStandbyIsRefusedUnlessItIsAcceptedByName) {
  store_ = NewPostgresStore(OptionsWith(), TheRuntime());
  const std::vector<Kind> kinds = {{.name = "thing"}};
  const Result<void> refused = store_->Ensure(Within(), kinds);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::kInvalid);
  EXPECT_NE(refused.error().ToString().find("durability: single_server"), std::string::npos)
      << refused.error().ToString();
  Open(kinds, {{"durability", ConfigValue::Scalar("single_server")}});
  EXPECT_EQ(Apply({Put{.ref = {"thing", {"", "a"}}, .body = "{}"}}).outcome,
            BatchOutcome::kApplied);
}

TEST_F(PostgresSyncWait, AServerThatLosesCommitsInACrashIsRefusedAlsoAsASingleOne) {
  const auto open = [&]() -> std::string {
    const std::vector<Kind> kinds = {{.name = "thing"}};
    store_ = NewPostgresStore(OptionsWith({{"durability", ConfigValue::Scalar("single_server")}}),
                              TheRuntime());
    const Result<void> ensured = store_->Ensure(Within(), kinds);
    return ensured ? "" : ensured.error().ToString();
  };
  Sql("ALTER ROLE a4c SET synchronous_commit = off");
  EXPECT_THAT(open(), HasSubstr("synchronous_commit is off"));
  Sql("ALTER ROLE a4c SET synchronous_commit = local");
  EXPECT_EQ(open(), "");
  Sql("ALTER SYSTEM SET fsync = off");
  Sql("SELECT pg_reload_conf()");
  const int64_t deadline_ms = TheRuntime().clock.MonotonicMs() + 60'000;
  std::string refused;  // the server takes a moment to read its configuration
  while ((refused = open()).empty()) {
    ASSERT_LT(TheRuntime().clock.MonotonicMs(), deadline_ms);
  }
  EXPECT_THAT(refused, HasSubstr("fsync is off"));
}

TEST_F(PostgresSyncWait, WithoutAStandbyWritesAreRefusedAtOnceUntilOneConfirmsAgain) {
  Open({{.name = "thing"}}, {{"durability", ConfigValue::Scalar("single_server")},
                             {"commit_timeout", ConfigValue::Scalar("1s")}});
  const std::vector<Op> write = {Put{.ref = {"thing", {"", "a"}}, .body = "{}"}};
  ASSERT_EQ(Apply(write).outcome, BatchOutcome::kApplied);
  SetStandbys("nobody");
  BatchResult result;
  do {  // the server takes a moment to read its configuration
    result = Apply(write);
  } while (result.outcome == BatchOutcome::kApplied);
  EXPECT_EQ(result.outcome, BatchOutcome::kUnknown);
  int at_once = 0;
  for (int i = 0; i < 20; ++i) {
    result = Apply({Put{.ref = {"thing", {"", "b"}}, .body = "{}"}});
    ASSERT_EQ(result.outcome, BatchOutcome::kNotApplied);
    EXPECT_EQ(result.error->code(), Code::kUnavailable) << result.error->ToString();
    if (result.error->message().find("has confirmed a commit for") != std::string::npos) ++at_once;
  }
  EXPECT_GE(at_once, 10) << "the others tried whether a standby is there again";
  const std::string waiting =
      Sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
  EXPECT_LE(std::stoi(waiting), 2) << "probes do not pile up on the server";
  EXPECT_FALSE(Read({"thing", {"", "b"}}).has_value());
  SetStandbys("");
  const int64_t deadline_ms = TheRuntime().clock.MonotonicMs() + 60'000;
  while (Apply(write).outcome != BatchOutcome::kApplied) {
    ASSERT_LT(TheRuntime().clock.MonotonicMs(), deadline_ms);
  }
}

}  // namespace
}  // namespace a4c::postgres
