// Scans that may be a little old read a replica while it is near enough, and the primary otherwise.
#include <gtest/gtest.h>

#include "a4c/replicas.h"
#include "session/postgres_connector.h"
#include "session/postgres_replicas.h"
#include "tests/support/cutting_proxy.h"
#include "tests/test_server.h"

namespace a4c::postgres {
namespace {

std::vector<Kind> Kinds() {
  return {{.name = "thing"}};
}

class PostgresReplicas : public ServerTest {
 protected:
  // All servers of the DSN: the one that is primary is passed over as a replica.
  void OpenWithReplicas(const std::string& staleness_max = "5s") {
    const Options servers = OptionsWith();
    if (servers.conninfos.size() < 2) {
      ASSERT_FALSE(IsRequired()) << "needs a primary and a standby in A4C_TEST_POSTGRES_DSN";
      GTEST_SKIP() << "needs a primary and a standby in A4C_TEST_POSTGRES_DSN";
    }
    ConfigValue hosts;
    hosts.shape = ConfigValue::Shape::kList;
    for (const std::string& conninfo : servers.conninfos) {
      hosts.list.push_back(ConfigValue::Scalar(Of(conninfo, "host") + ":" + Of(conninfo, "port")));
    }
    Open(Kinds(),
         {{"replica_hosts", hosts}, {"replica_staleness_max", ConfigValue::Scalar(staleness_max)}});
  }

  static std::string Of(const std::string& conninfo, const std::string& setting) {
    const size_t at = conninfo.find(setting + "='") + setting.size() + 2;
    return conninfo.substr(at, conninfo.find('\'', at) - at);
  }
  static std::unique_ptr<PGconn, decltype(&PQfinish)> ConnectTo(std::string conninfo) {
    const std::string read_write = "target_session_attrs='read-write'";
    conninfo.replace(conninfo.find(read_write), read_write.size(), "target_session_attrs='any'");
    return {PQconnectdb(conninfo.c_str()), PQfinish};
  }
  static bool IsTrue(const std::string& conninfo, const char* sql) {
    const auto connection = ConnectTo(conninfo);
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(connection.get(), sql),
                                                               PQclear);
    return PQntuples(answer.get()) == 1 && PQgetvalue(answer.get(), 0, 0)[0] == 't';
  }
  static bool IsStandby(const std::string& conninfo) {
    return IsTrue(conninfo, "SELECT pg_is_in_recovery()");
  }

  // The standbys among the servers replay nothing while this lives.
  class Paused {
   public:
    explicit Paused(std::vector<std::string> conninfos) : conninfos_(std::move(conninfos)) {
      std::erase_if(conninfos_, [](const std::string& conninfo) { return !IsStandby(conninfo); });
      for (const std::string& conninfo : conninfos_) {
        EXPECT_TRUE(IsTrue(conninfo, "SELECT pg_wal_replay_pause() IS NOT NULL")) << "pause";
        while (!IsTrue(conninfo, "SELECT pg_get_wal_replay_pause_state() = 'paused'")) {
        }
      }
    }
    ~Paused() {
      for (const std::string& conninfo : conninfos_) {
        IsTrue(conninfo, "SELECT pg_wal_replay_resume() IS NOT NULL");
      }
    }
    Paused(const Paused&) = delete;
    Paused& operator=(const Paused&) = delete;

   private:
    std::vector<std::string> conninfos_;
  };

  std::optional<ReplicaScan> ScanReplica() {
    auto page = store_->As<Replicas>()->ScanReplica(Within(), {.kind = "thing", .limit = 1000});
    EXPECT_TRUE(page.has_value()) << page.error().ToString();
    return page ? std::optional(*std::move(page)) : std::nullopt;
  }
};

TEST_F(PostgresReplicas, AScanLacksOnlyWhatIsYoungerThanItSays) {
  OpenWithReplicas();
  if (IsSkipped() || HasFatalFailure()) return;
  std::vector<int64_t> applied_ms;
  for (int i = 0; i < 200; ++i) {
    const std::string id = "t" + std::to_string(1000 + i);
    ASSERT_EQ(Apply({Put{.ref = {"thing", {"", id}}, .body = "{}"}}).outcome,
              BatchOutcome::kApplied);
    applied_ms.push_back(TheRuntime().clock.MonotonicMs());
    const auto page = ScanReplica();
    ASSERT_TRUE(page.has_value());
    EXPECT_LE(page->stale_ms_max, 5000);
    for (size_t missing = page->scan.records.size(); missing < applied_ms.size(); ++missing) {
      EXPECT_LE(applied_ms.back() - applied_ms[missing], page->stale_ms_max) << missing;
    }
  }
}

// Held back by an administrator, the replicas go on confirming commits, and show none of them.
TEST_F(PostgresReplicas, ReplicasThatLagPastTheBoundArePassedOver) {
  const char* admin = std::getenv("A4C_TEST_POSTGRES_ADMIN_DSN");
  if (admin == nullptr) {
    ASSERT_FALSE(IsRequired()) << "needs A4C_TEST_POSTGRES_ADMIN_DSN";
    GTEST_SKIP() << "needs A4C_TEST_POSTGRES_ADMIN_DSN";
  }
  OpenWithReplicas("200ms");
  if (IsSkipped() || HasFatalFailure()) return;
  const Paused paused(OptionsWith({{"dsn", ConfigValue::Scalar(admin)}}).conninfos);
  const auto waiter = TheRuntime().threads.NewWaiter();
  for (size_t i = 1; i <= 5; ++i) {
    ASSERT_EQ(Apply({Put{.ref = {"thing", {"", "t" + std::to_string(i)}}, .body = "{}"}}).outcome,
              BatchOutcome::kApplied);
    const int64_t over_ms = TheRuntime().clock.MonotonicMs() + 201;
    const Waiter::Lock lock(*waiter);
    while (TheRuntime().clock.MonotonicMs() < over_ms) waiter->Wait(over_ms);
    const auto page = ScanReplica();
    ASSERT_TRUE(page.has_value());
    EXPECT_EQ(page->scan.records.size(), i);
    EXPECT_LE(page->stale_ms_max, 200);
  }
}

TEST_F(PostgresReplicas, AReplicaThatHangsLeavesTimeForThePrimary) {
  std::vector<std::string> standbys = OptionsWith().conninfos;
  std::erase_if(standbys, [](const std::string& conninfo) { return !IsStandby(conninfo); });
  if (standbys.empty()) {
    ASSERT_FALSE(IsRequired()) << "needs a standby in A4C_TEST_POSTGRES_DSN";
    GTEST_SKIP() << "needs a standby in A4C_TEST_POSTGRES_DSN";
  }
  testing::CuttingProxy proxy(TheRuntime().threads, Of(standbys[0], "host"),
                              std::stoi(Of(standbys[0], "port")));
  ConfigValue hosts;
  hosts.shape = ConfigValue::Shape::kList;
  hosts.list.push_back(ConfigValue::Scalar("127.0.0.1:" + std::to_string(proxy.port())));
  Open(Kinds(), {{"replica_hosts", hosts}, {"replica_staleness_max", ConfigValue::Scalar("1s")}});
  ASSERT_TRUE(ScanReplica()) << "while it answers";
  proxy.StallAfter(0);
  const auto page = ScanReplica();
  ASSERT_TRUE(page);
  EXPECT_EQ(page->stale_ms_max, 0) << "the primary's";
}

TEST_F(PostgresReplicas, WhereNoneIsNamedThereIsNoExtension) {
  Open(Kinds());
  EXPECT_EQ(store_->As<Replicas>(), nullptr);
}

TEST_F(PostgresReplicas, AServerThatIsPrimaryIsNoReplicaForItMayBeAFormerOne) {
  const Options options = OptionsWith();
  std::atomic<int64_t> timeline_seen = 0;
  Connector to_primary(Connector::Wanted::kPrimary, options.conninfos, options, timeline_seen,
                       TheRuntime());
  const auto primary = NewSessionPool(to_primary, options, TheRuntime());
  const auto reader = NewReplicaReader(*primary, *primary, timeline_seen, options, TheRuntime());
  const Statement one{"SELECT 1::bigint"};
  EXPECT_FALSE(reader->Read(Within(), {&one, 1}).has_value());
}

}  // namespace
}  // namespace a4c::postgres
