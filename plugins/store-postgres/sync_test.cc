// A commit whose wait for the standby was cancelled is unknown, not a success. Needs a server whose
// standby never comes, so this test starts its own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "test_server.h"

namespace a4c::postgres {
namespace {

namespace fs = std::filesystem;

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
      const bool required = std::getenv("CI") || std::getenv("A4C_REQUIRE_SERVERS");
      ASSERT_FALSE(required) << "needs PostgreSQL's server programs";
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

TEST_F(PostgresSyncWait, ACancelledWaitIsUnknownInBothLanes) {
  Open({{.name = "thing"}});
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

}  // namespace
}  // namespace a4c::postgres
