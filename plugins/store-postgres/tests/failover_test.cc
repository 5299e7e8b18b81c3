// The primary is killed under load and a standby promoted, on clusters of the test's own that
// dev/stack makes: one primary, two standbys, each commit confirmed by one of them. By hand, and
// (long) by Patroni.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "a4c/group_commit.h"
#include "session/postgres_connector.h"
#include "session/postgres_replicas.h"
#include "tests/support/cutting_proxy.h"
#include "tests/test_load.h"

// A server that dies between libpq's try and Poco's own connect leaves the latter's connection
// behind (poco#4231).
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the sanitizer's name
extern "C" const char* __lsan_default_suppressions() {
  return "leak:Poco::Data::PostgreSQL::SessionHandle::connect\n";
}

namespace a4c::postgres {
namespace {

namespace fs = std::filesystem;

constexpr int kWriters = 8;
constexpr int kWritesPerRound = 300;

int Rounds() {
  const char* rounds = std::getenv("A4C_FAILOVER_ROUNDS");
  return rounds == nullptr ? 2 : std::atoi(rounds);
}

class PostgresFailover : public ServerTest {
 protected:
  void SetUp() override {
    if (!fs::exists("/usr/lib/postgresql")) {
      ASSERT_FALSE(IsRequired()) << "needs PostgreSQL's server programs";
      GTEST_SKIP() << "needs PostgreSQL's server programs";
    }
    Start("A4C_TEST_POSTGRES_DSN");
  }
  void Start(const std::string& dsn) {
    char pattern[] = "/tmp/a4c-failover-XXXXXX";
    directory_ = mkdtemp(pattern);
    Stack("start");
    ASSERT_FALSE(HasFailure()) << "the servers did not start";
    setenv("PGPASSFILE", FromEnv("PGPASSFILE").c_str(), 1);
    setenv("A4C_TEST_POSTGRES_DSN", FromEnv(dsn).c_str(), 1);
    ServerTest::SetUp();
  }
  void TearDown() override {
    store_.reset();
    if (directory_.empty()) return;
    if (!frozen_.empty()) Stack("crash " + frozen_);
    if (HasFailure()) ShowLogs();
    Stack("stop --clean");
    fs::remove_all(directory_);
  }

  // They go with the servers.
  void ShowLogs() const {
    const std::string folders = directory_ + " /var/lib/a4c-stack/$(echo " + directory_ +
                                " | cksum | cut -d' ' -f1)/" + part_;
    const std::string show =
        "find " + folders +
        " -maxdepth 2 \\( -name log -o -name '*.log' \\) -type f 2>/dev/null | "
        "xargs -r tail -n 40 >&2";
    if (std::system(show.c_str()) != 0) std::fprintf(stderr, "no logs in %s\n", folders.c_str());
  }

  // The last line of what the script of dev/stack/postgres says.
  std::string Stack(const std::string& command) {
    return Shell("A4C_STACK_DIR=" + directory_ + " " A4C_STACK "/" + part_ + "/" + command +
                 " 2>>" + directory_ + "/log");
  }
  std::string FromEnv(const std::string& name) {
    return Shell(". " + directory_ + "/" + part_ + "/env; echo \"$" + name + "\"");
  }
  std::string Shell(const std::string& command) {
    FILE* pipe = popen(command.c_str(), "r");
    std::string output;
    char buffer[512];
    while (fgets(buffer, sizeof(buffer), pipe) != nullptr) output = buffer;
    EXPECT_EQ(pclose(pipe), 0) << command << ": see " << directory_ << "/log";
    while (!output.empty() && output.back() == '\n') output.pop_back();
    return output;
  }

  void FailOver() {
    former_ = primary_;
    Stack("crash " + former_);
    primary_ = Stack("promote");
  }

  std::string PortOf(const std::string& node) const {
    const size_t place = node == "p" ? 0 : node == "r1" ? 1 : 2;
    const std::string conninfo = OptionsWith().conninfos.at(place);
    const size_t at = conninfo.find("port='") + 6;
    return conninfo.substr(at, conninfo.find('\'', at) - at);
  }

  // Its processes stand still while its kernel still accepts connections for it, as those of a
  // machine whose disk hangs.
  void FreezeThePrimary() {
    frozen_ = primary_;
    Shell("postmaster=$(ps -o ppid= -p " + Sql("SELECT pg_backend_pid()") +
          ") && kill -STOP $postmaster && { kill -STOP $(pgrep -P $postmaster) || true; }");
  }

  // Until it is applied, which it is once the standby that is left follows the new primary.
  void AwaitApplied(const WriteBatch& batch) {
    Result<ApplyAnswer> answer = Error(Code::kInternal, "not tried");
    const auto applied = [&] {
      return answer && answer->results[0].outcome == BatchOutcome::kApplied;
    };
    const Call patience = Within();
    while (!applied() && !patience.Expired()) {
      answer = store_->Apply(Within(), {&batch, 1});
      if (!applied()) Load::Pause(20);
    }
    ASSERT_TRUE(answer) << answer.error().ToString();
    ASSERT_EQ(answer->results[0].outcome, BatchOutcome::kApplied);
  }

  std::string part_ = "postgres";  // of dev/stack
  std::string directory_;
  std::string primary_ = "p";
  std::string former_;
  std::string frozen_;
};

TEST_F(PostgresFailover, NothingAcknowledgedIsLostOrDoubledWhenThePrimaryDies) {
  Open(Load::Kinds(), {{"commit_timeout", ConfigValue::Scalar("5s")}});
  const std::unique_ptr<Store> grouped = NewGroupCommit(*store_, TheRuntime());
  Load load(*grouped, kWriters);
  for (int round = 0; round < Rounds(); ++round) {
    ASSERT_TRUE(load.AwaitAcknowledged(load.acknowledged() + kWritesPerRound));
    FailOver();
    ASSERT_TRUE(load.AwaitAcknowledged(load.acknowledged() + kWritesPerRound))
        << "writes go on at " << primary_;
    Stack("rejoin " + former_);
  }
  load.StopAndCheck();
}

TEST_F(PostgresFailover, AFormerPrimaryThatComesBackIsNotWrittenTo) {
  Open(Load::Kinds());
  const WriteBatch batch{{Put{.ref = {"thing", {"", "a"}}, .body = "{}"}}};
  ASSERT_TRUE(store_->Apply(Within(), {&batch, 1}));
  FailOver();
  Result<ApplyAnswer> answer = Error(Code::kInternal, "not tried");
  for (int i = 0; i < 500 && !answer; ++i) {
    answer = store_->Apply(Within(), {&batch, 1});
    Load::Pause(20);
  }
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->results[0].outcome, BatchOutcome::kApplied);
  Stack("revive " + former_);
  Stack("crash " + primary_);
  answer = store_->Apply(Within(), {&batch, 1});
  while (answer && answer->results[0].outcome == BatchOutcome::kUnknown) {
    answer = store_->Apply(Within(), {&batch, 1});
  }
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), Code::kUnavailable);
  EXPECT_NE(answer.error().message().find("former primary"), std::string::npos)
      << answer.error().ToString();
}

// No process that runs has seen the timeline of the one that was promoted. The list begins with the
// former primary.
TEST_F(PostgresFailover, AStoreThatIsOpenedWhileAFormerPrimaryRunsWorksWithTheNewOne) {
  Open(Load::Kinds());
  ASSERT_NO_FATAL_FAILURE(AwaitApplied({{Put{.ref = {"thing", {"", "a"}}, .body = "{}"}}}));
  FailOver();
  const std::string body = R"({"turn":2})";
  ASSERT_NO_FATAL_FAILURE(AwaitApplied({{Put{.ref = {"thing", {"", "a"}}, .body = body}}}));
  Stack("revive " + former_);
  Open(Load::Kinds());
  const std::optional<Record> read = Read({"thing", {"", "a"}});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->body, body);
  EXPECT_EQ(Apply({Put{.ref = {"thing", {"", "b"}}, .body = "{}"}}).outcome,
            BatchOutcome::kApplied);
}

TEST_F(PostgresFailover, AFormerPrimaryThatWasAloneAtFirstIsLeftOnceTheNewOneIsReached) {
  Open(Load::Kinds());
  FailOver();
  ASSERT_NO_FATAL_FAILURE(AwaitApplied({{Put{.ref = {"thing", {"", "a"}}, .body = "{}"}}}));
  Stack("revive " + former_);
  testing::CuttingProxy proxy(TheRuntime().threads, "127.0.0.1", std::stoi(PortOf(primary_)));
  proxy.CutAfter(0);
  const std::string servers =
      " host=127.0.0.1,127.0.0.1 port=" + PortOf(former_) + "," + std::to_string(proxy.port());
  Open(Load::Kinds(), {{"dsn", ConfigValue::Scalar(dsn_ + servers)},
                       {"commit_timeout", ConfigValue::Scalar("1s")}});
  const WriteBatch batch{{Put{.ref = {"thing", {"", "b"}}, .body = "{}"}}};
  const Result<ApplyAnswer> answer = store_->Apply(Within(), {&batch, 1});
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->results[0].outcome, BatchOutcome::kUnknown) << "no standby confirms it";
  proxy.Heal();
  ASSERT_NO_FATAL_FAILURE(AwaitApplied(batch));
}

// Migrations have another connector than writes, with row_security also scans and claims.
TEST_F(PostgresFailover, WhatWorksAsTheOwnerOfTheTablesKnowsTheTimelineThatWritesHaveSeen) {
  Open(Load::Kinds());
  FailOver();
  ASSERT_NO_FATAL_FAILURE(AwaitApplied({{Put{.ref = {"thing", {"", "a"}}, .body = "{}"}}}));
  Stack("revive " + former_);
  const Kind late{.name = "late"};
  const Result<void> ensured = store_->Ensure(Within(20'000), {&late, 1});
  ASSERT_TRUE(ensured) << ensured.error().ToString();
  EXPECT_EQ(Apply({Put{.ref = {"late", {"", "a"}}, .body = "{}"}}).outcome, BatchOutcome::kApplied);
}

TEST_F(PostgresFailover, APrimaryThatFreezesHoldsNoCallerPastItsDeadlineAndWritesGoOnWithoutIt) {
  constexpr int64_t kDeadlineMs = 3000;
  constexpr int64_t kMarginMs = 3000;  // to cancel a probe, to be told that it failed, and for load
  Open(Load::Kinds(), {{"commit_timeout", ConfigValue::Scalar("1s")}});
  Load load(*store_, kWriters);
  ASSERT_TRUE(load.AwaitAcknowledged(kWritesPerRound)) << "so that many sessions are idle";
  load.StopAndCheck();
  FreezeThePrimary();
  const WriteBatch batch{{Put{.ref = {"thing", {"", "a"}}, .body = "{}"}}};
  for (int i = 0; i < 8; ++i) {
    const int64_t began_ms = TheRuntime().clock.MonotonicMs();
    const Result<ApplyAnswer> answer = store_->Apply(Within(kDeadlineMs), {&batch, 1});
    EXPECT_TRUE(!answer || answer->results[0].outcome != BatchOutcome::kApplied);
    EXPECT_LT(TheRuntime().clock.MonotonicMs() - began_ms, kDeadlineMs + kMarginMs);
    Load::Pause(300);
  }
  primary_ = Stack("promote");
  // The other standby waits without end for an answer of the one that is frozen, until that is
  // fenced.
  Stack("crash " + frozen_);
  frozen_.clear();
  ASSERT_NO_FATAL_FAILURE(AwaitApplied(batch));
}

// Scans that may be a little old, by one replica.
class PostgresReplicaFailover : public PostgresFailover {
 protected:
  using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

  void ReadFrom(const std::string& node) {
    ConfigValue hosts;
    hosts.shape = ConfigValue::Shape::kList;
    hosts.list.push_back(ConfigValue::Scalar("127.0.0.1:" + PortOf(node)));
    options_ = OptionsWith({{"replica_hosts", hosts}});
    to_primary_.emplace(Connector::Wanted::kPrimary, options_.conninfos, options_, timeline_seen_,
                        TheRuntime());
    primary_pool_ = NewSessionPool(*to_primary_, options_, TheRuntime());
    to_replica_.emplace(Connector::Wanted::kReplica, options_.replica_conninfos, options_,
                        timeline_seen_, TheRuntime());
    replica_pool_ = NewSessionPool(*to_replica_, options_, TheRuntime());
    reader_ =
        NewReplicaReader(*primary_pool_, *replica_pool_, timeline_seen_, options_, TheRuntime());
  }
  bool IsRead() {
    const Statement one{"SELECT 1::bigint"};
    return reader_->Read(Within(), {&one, 1}).has_value();
  }

  Connection AdminOf(const std::string& node) {
    return {PQconnectdb((FromEnv("A4C_TEST_POSTGRES_ADMIN_DSN") +
                         " host=127.0.0.1 port=" + PortOf(node) + " target_session_attrs=any")
                            .c_str()),
            PQfinish};
  }
  static std::string Ask(const Connection& connection, const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> row(PQexec(connection.get(), sql.c_str()),
                                                            PQclear);
    return PQntuples(row.get()) == 1 ? PQgetvalue(row.get(), 0, 0) : "";
  }

  Options options_;
  std::atomic<int64_t> timeline_seen_{0};
  std::optional<Connector> to_primary_;
  std::optional<Connector> to_replica_;
  std::unique_ptr<SessionPool> primary_pool_;
  std::unique_ptr<SessionPool> replica_pool_;
  std::unique_ptr<ReplicaReader> reader_;
};

// Its positions are ahead of the primary's, in a log that is not the primary's any more.
TEST_F(PostgresReplicaFailover, AReplicaThatStillFollowsTheFormerPrimaryIsPassedOver) {
  Open(Load::Kinds());
  ReadFrom("r2");
  ASSERT_TRUE(IsRead()) << "while there is one primary";
  const Connection left_behind = AdminOf("r2");
  Stack("promote --force r1");  // p goes on, and r2 confirms what it commits
  const std::string fork = Ask(AdminOf("r1"), "SELECT pg_current_wal_lsn()");
  Sql("SELECT pg_logical_emit_message(true, 'a4c', repeat('x', 1000000))");
  const Call patience = Within();
  while (Ask(left_behind, "SELECT pg_last_wal_replay_lsn() > '" + fork + "'") != "t") {
    ASSERT_FALSE(patience.Expired());
    Load::Pause(20);
  }
  primary_pool_->LookAround(Within());
  EXPECT_FALSE(IsRead()) << "over a session of before";
  Load::Pause(1100);  // until replicas are tried again
  EXPECT_FALSE(IsRead()) << "over a new session";
}

TEST_F(PostgresReplicaFailover, AReplicaThatFollowsTheNewPrimaryIsReadAgain) {
  Open(Load::Kinds());
  FailOver();
  const std::string replica = primary_ == "r1" ? "r2" : "r1";
  ReadFrom(replica);
  const Connection primary = AdminOf(primary_);
  const Connection follower = AdminOf(replica);
  const Call patience = Within();
  while (!IsRead()) {
    ASSERT_FALSE(patience.Expired());
    Ask(primary, "CHECKPOINT");  // otherwise the replica's next restartpoint is minutes away
    Ask(follower, "CHECKPOINT");
    Load::Pause(100);
  }
  EXPECT_GE(timeline_seen_, 2);
}

class PostgresUnderPatroni : public PostgresFailover {
 protected:
  void SetUp() override {
    if (std::system("command -v patroni etcd >/dev/null") != 0) {
      ASSERT_FALSE(IsRequired()) << "needs Debian's packages patroni and etcd-server";
      GTEST_SKIP() << "needs Debian's packages patroni and etcd-server";
    }
    part_ = "patroni";
    Start("A4C_TEST_PATRONI_DSN");
  }
};

TEST_F(PostgresUnderPatroni, NothingAcknowledgedIsLostOrDoubledWhenAServerDies) {
  Open(Load::Kinds(), {{"commit_timeout", ConfigValue::Scalar("5s")}});
  const std::unique_ptr<Store> grouped = NewGroupCommit(*store_, TheRuntime());
  Load load(*grouped, kWriters);
  for (const char* crash : {"crash --postgres primary", "crash primary", "crash primary"}) {
    ASSERT_TRUE(load.AwaitAcknowledged(load.acknowledged() + kWritesPerRound));
    former_ = Stack(crash);
    ASSERT_TRUE(load.AwaitAcknowledged(load.acknowledged() + kWritesPerRound));
    if (crash != std::string("crash --postgres primary")) Stack("crash --again " + former_);
    Stack("await");
  }
  load.StopAndCheck();
}

}  // namespace
}  // namespace a4c::postgres
